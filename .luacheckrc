-- What Redis gives a script, and nothing else.
std = 'lua51'
read_globals = { 'KEYS', 'ARGV', 'cmsgpack', 'redis', 'struct' }
not_globals = { 'dofile', 'io', 'loadfile', 'module', 'os', 'package', 'print', 'require' }
max_line_length = 100
