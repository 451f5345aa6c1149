"""The paths of the comparison as a Flask application; run directly, the development server serves it."""
import os
import time

from flask import Flask, request

app = Flask(__name__)


@app.get("/health")
def health():
    return "healthy"


@app.get("/compute")
def compute():
    time.sleep(0.3)
    return "done"


@app.get("/stream")
def stream():
    def events():
        for number in range(20):
            yield f"data: first {number}\n\n"
            time.sleep(0.02)

    return app.response_class(events(), mimetype="text/event-stream")


@app.post("/raw")
def raw():
    return str(len(request.get_data()))


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
