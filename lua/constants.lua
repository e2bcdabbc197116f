--[[
constants: what all scripts use, and what costs a call nothing.
Mirrors src/domain/algorithm.rs
]]

-- A key is kept this many ms longer than until its quota is whole again. Expiry rounds in its own
-- way, and must never change a decision.
local TTL_SLACK = 1000

-- Numbers up to this one are exact.
local MAX_EXACT = 2 ^ 53 - 1

-- A local that a function uses adds to what it costs to create the function, which every call does
-- again. So only what runs often has a local here.
local pack, unpack = struct.pack, struct.unpack
local call, pcall = redis.call, redis.pcall

