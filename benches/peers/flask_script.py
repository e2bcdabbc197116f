"""Flask with a fixed window in a Lua script, by hand."""

import os

import redis
from flask import Flask, jsonify, request

app = Flask(__name__)
script = redis.Redis.from_url(os.environ["REDIS_URL"]).register_script(
    """
local used = redis.call('INCR', KEYS[1])
if used == 1 then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
return used <= tonumber(ARGV[1]) and 1 or 0
"""
)


@app.route("/api/data")
def data():
    key = "flask:" + request.headers.get("x-client", "")
    if not script(keys=[key], args=[1_000_000_000, 3_600]):
        return jsonify(message="Too many requests. Please try again later."), 429
    return jsonify(message="Here is your data!")
