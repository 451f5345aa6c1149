namespace ResilientHosting.ReloadLatency;

/// <summary>A web application over two libraries, of as many files as asked for.</summary>
internal static class GeneratedSolution
{
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
            new("app, body", Of("App", "Front.cs"), (mark, _) => Front($"\"{mark}\"", "")),
            new("app, method added", Of("App", "Front.cs"), (mark, number) =>
                Front($"Added{number}()", $"private static string Added{number}() => \"{mark}\";")),
            new("app, signature changed", Of("App", "Front.cs"), (mark, number) =>
                Front("Shown(1)", $"private static string Shown({(number % 2 == 0 ? "int" : "long")} times) => \"{mark}\" + times;")),
            new("library, body", Of("Core", "Ground.cs"), (mark, _) => Ground(mark, "")),
            new("library, signature changed", Of("Core", "Ground.cs"), (mark, number) =>
                Ground(mark, number % 2 == 0 ? "int times = 1" : "long times = 1")),
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
        return new Solution($"{files} files", Path.Combine(folder, "App"), "/", edits);

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

    private static string Front(string shown, string members) => $$"""
        namespace App;

        public static class Front
        {
            public static string Show() => Text() + Core.Ground.Text();

            private static string Text() => {{shown}};

            {{members}}
        }
        """;

    private static string Ground(string mark, string parameters) => $$"""
        namespace Core;

        public static class Ground
        {
            public static string Text({{parameters}}) => "{{mark}}";
        }
        """;
}
