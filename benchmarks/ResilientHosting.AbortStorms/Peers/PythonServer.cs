using ResilientHosting.Benchmarks.DevServers;

namespace ResilientHosting.AbortStorms;

/// <summary>A server of the Flask application beside this program.</summary>
internal sealed record PythonServer(Tool Tool, Benchmarks.DevServers.Contestant Contestant)
{
    public static IEnumerable<PythonServer> All()
    {
        var flask = Tool.OfPython("flask", "python3-flask");
        yield return Create(flask, $"{flask.Name}, development server", "app.py");
        var gunicorn = Tool.OfPython("gunicorn", "gunicorn");
        yield return Create(
            gunicorn, $"{gunicorn.Name}, gthread", "-m", "gunicorn", "--worker-class", "gthread", "--threads", "16",
            "--bind", $"127.0.0.1:{Benchmarks.DevServers.Contestant.Port}", "app:app");
        var gevent = Tool.OfPython("gevent", "python3-gevent");
        yield return Create(gevent, $"{gevent.Name}, pywsgi", "gevent_server.py");
    }

    private static PythonServer Create(Tool tool, string name, params string[] arguments) =>
        new(tool, new(name, Tool.Python, arguments, Edits: 0));
}
