using System.Globalization;
using ResilientHosting.Benchmarks.DevServers;

namespace ResilientHosting.ReloadLatency;

/// <summary>A web application over two libraries, of as many files as asked for.</summary>
internal static class GeneratedSolution
{
    /// <summary>Others are measured for ours alone: the builds of the peers take long.</summary>
    public static readonly int[] SizesForPeers = [10, 300];

    /// <summary>What is measured for a peer that applies deltas.</summary>
    public static readonly string[] EditsForDelta = ["app, body", "app, method added", "library, body"];

    /// <summary>What is measured for a peer that restarts, where the kind of edit makes no difference.</summary>
    public static readonly string[] EditsForRestart = ["app, body"];

    public static async Task<Solution> CreateAsync(Workshop workshop, int files)
    {
        var folder = workshop.CreateFolder($"generated-{files}");
        string Of(string project, string file) => Path.Combine(folder, project, file);

        Project("Core", "Microsoft.NET.Sdk", "");
        Project("Features", "Microsoft.NET.Sdk", """<ProjectReference Include="../Core/Core.csproj" />""");
        Project("App", "Microsoft.NET.Sdk.Web", """<ProjectReference Include="../Features/Features.csproj" />""" + Workshop.Reference);
        Workshop.Write(Of("App", "Program.cs"), Startup);

        Edit[] edits =
        [
            new("app, body", Of("App", "Front.cs"), (mark, _) => Front(mark, Number(0))),
            new("app, method added", Of("App", "Front.cs"), (mark, number) =>
                Front("", Number(0), $"Added{number}()", $"private static string Added{number}() => \"{mark}\";")),
            new("app, signature changed", Of("App", "Front.cs"), (mark, number) => Front(mark, Number(number))),
            new("library, body", Of("Core", "Ground.cs"), (mark, _) => Ground(mark, Number(0))),
            new("library, signature changed", Of("Core", "Ground.cs"), (mark, number) => Ground(mark, Number(number))),
        ];
        foreach (var edit in edits.DistinctBy(edit => edit.File))
        {
            edit.Save(0);
        }

        // The two files that are edited, and Program.cs, count too.
        for (var number = 0; number < files - 3; number++)
        {
            var project = (number % 10) switch { < 2 => "App", < 7 => "Features", _ => "Core" };
            Workshop.Write(Of(project, $"Area{number / 10}/Orders{number}.cs"), GeneratedSource.Create(project, number));
        }

        await Workshop.DotnetAsync(Path.Combine(folder, "App"), "build", "-nologo", "-v:q");
        return new Solution(string.Create(CultureInfo.InvariantCulture, $"{files} files"), Path.Combine(folder, "App"), "/", edits);

        void Project(string name, string sdk, string references) => Workshop.Write(Of(name, $"{name}.csproj"), $"""
            <Project Sdk="{sdk}">
              <PropertyGroup>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <Nullable>enable</Nullable>
              </PropertyGroup>
              <ItemGroup>{references}</ItemGroup>
            </Project>
            """);
    }

    private static string Startup => """
        var builder = WebApplication.CreateBuilder(args);
        builder.Services.AddDevReloader();
        var app = builder.Build();
        app.UseDevReloader();
        app.MapGet("/", App.Front.Show);
        app.Run();
        """;

    /// <summary>The type of a parameter that every version has, and that is another one in the next.</summary>
    private static string Number(int version) => version % 2 == 0 ? "int" : "long";

    private static string Front(string mark, string parameter, string added = "\"\"", string members = "") => $$"""
        namespace App;

        public static class Front
        {
            public static string Show() => Text(1) + {{added}} + Core.Ground.Text();

            private static string Text({{parameter}} times) => "{{mark}}" + times;

            {{members}}
        }
        """;

    private static string Ground(string mark, string parameter) => $$"""
        namespace Core;

        public static class Ground
        {
            public static string Text({{parameter}} times = 1) => "{{mark}}" + times;
        }
        """;
}
