"""The same application on gevent's server."""
from gevent import monkey

monkey.patch_all()

import os

from gevent.pywsgi import WSGIServer

from app import app

WSGIServer(("127.0.0.1", int(os.environ["PORT"])), app).serve_forever()
