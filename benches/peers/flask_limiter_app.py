"""Flask-Limiter over Redis."""

import os

from flask import Flask, jsonify, request
from flask_limiter import Limiter

app = Flask(__name__)
limiter = Limiter(
    lambda: request.headers.get("x-client", ""),
    app=app,
    storage_uri=os.environ["REDIS_URL"],
    headers_enabled=True,
)


@app.route("/api/data")
@limiter.limit("1000000000/hour")
def data():
    return jsonify(message="Here is your data!")
