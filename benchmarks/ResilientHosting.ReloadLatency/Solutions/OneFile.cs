using ResilientHosting.Benchmarks.DevServers;

namespace ResilientHosting.ReloadLatency;

/// <summary>The smallest web application: one file that answers with one text. For each platform the one of its own documentation.</summary>
internal static class OneFile
{
    private const string Text = "hello from the first version";

    public static async Task<Solution> CreateDotnetAsync(Workshop workshop)
    {
        var folder = workshop.CreateFolder("one-file");
        Workshop.Write(Path.Combine(folder, "Hello.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk.Web">
              <PropertyGroup>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
              </PropertyGroup>
              <ItemGroup>{Workshop.Reference}</ItemGroup>
            </Project>
            """);
        var solution = Create(folder, "Program.cs", $"""
            var builder = WebApplication.CreateBuilder(args);
            builder.Services.AddDevReloader();
            var app = builder.Build();
            app.UseDevReloader();
            app.MapGet("/", () => "{Text}");
            app.Run();
            """);
        await Workshop.DotnetAsync(folder, "build", "-nologo", "-v:q");
        return solution;
    }

    public static Solution CreateFlask(Workshop workshop) => Create(workshop.CreateFolder("flask"), "app.py", $"""
        import os
        from flask import Flask

        app = Flask(__name__)

        @app.get("/")
        def index():
            return "{Text}"

        if __name__ == "__main__":
            app.run(port=int(os.environ["PORT"]), debug=True, threaded=True, reloader_type="stat")
        """);

    public static Solution CreateAsgi(Workshop workshop) => Create(workshop.CreateFolder("asgi"), "app.py", $$"""
        async def app(scope, receive, send):
            if scope["type"] == "http":
                await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
                await send({"type": "http.response.body", "body": b"{{Text}}"})
        """);

    public static Solution CreateNode(Workshop workshop) => Create(workshop.CreateFolder("node"), "server.js", $$"""
        const http = require("node:http");

        http.createServer((request, response) => response.end("{{Text}}")).listen(Number(process.env.PORT), "127.0.0.1");
        """);

    private static Solution Create(string folder, string file, string source)
    {
        var path = Path.Combine(folder, file);
        Workshop.Write(path, source);
        return new Solution("one file", folder, "/", [Edit.Replacing("the text", path, Text)]);
    }
}
