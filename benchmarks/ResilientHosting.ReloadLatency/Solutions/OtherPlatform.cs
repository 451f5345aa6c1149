using ResilientHosting.Benchmarks.DevServers;

namespace ResilientHosting.ReloadLatency;

/// <summary>A development server of another platform.</summary>
/// <param name="Tool">What it needs.</param>
/// <param name="Contestant">How it is run.</param>
/// <param name="Create">Its application.</param>
internal sealed record OtherPlatform(Tool Tool, Contestant Contestant, Func<Workshop, Solution> Create)
{
    private const int Edits = 8;

    public static IEnumerable<OtherPlatform> All()
    {
        var flask = Tool.OfPython("flask", "python3-flask");
        yield return new(flask, new($"Werkzeug, stat reloader ({flask.Name})", Tool.Python, ["app.py"], Edits), OneFile.CreateFlask);

        var uvicorn = Tool.OfPython("uvicorn", "uvicorn");
        string[] reload = ["-m", "uvicorn", "app:app", "--reload", "--port", Contestant.Port];
        yield return new(uvicorn, new($"{uvicorn.Name} --reload", Tool.Python, reload, Edits)
        {
            ReadyLine = "Application startup complete",
        }, OneFile.CreateAsgi);

        var nodemon = Tool.OfNode("nodemon", "npm install --global nodemon");
        yield return new(nodemon, new(nodemon.Name, "nodemon", ["server.js"], Edits) { ReadyLine = "[nodemon] starting" }, OneFile.CreateNode);

        var node = Tool.OfNode("node", "Debian: apt-get install nodejs");
        yield return new(node, new($"{node.Name} --watch", "node", ["--watch", "server.js"], Edits), OneFile.CreateNode);
    }
}
