using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading.Hosts;

/// <summary>An edit that can be made again and again, and what is to be seen then.</summary>
/// <param name="Host">How the host is written.</param>
/// <param name="Framework">What the edited code belongs to.</param>
/// <param name="Change">What kind of change it is.</param>
/// <param name="Path">Where it is to be seen; null is the console.</param>
/// <param name="Edit">Makes version 2, 3 and so on of the one before.</param>
/// <param name="Expected">What a version says.</param>
internal sealed record Row(
    string Host, string Framework, string Change, string? Path, Action<ReloadableProject, int> Edit, Func<int, string> Expected)
{
    public override string ToString() => $"{Host}, {Framework}, {Change}";
}

internal static class MatrixRows
{
    private const string Body = "body", StartUp = "start-up code", Member = "added member", Type = "added type", Signature = "changed signature",
        NewFile = "new file", DeletedFile = "deleted file", View = "view or component";

    public static Row[] Minimal { get; } =
    [
        .. In("top-level, hosting startup", "minimal API", "Program.cs",
            (Body, "/", "body: v"), (StartUp, "/start-up", "start-up: v")),
        .. In("top-level, hosting startup", "background service", "Program.cs", (Body, "/ticker", "worker: v")),
        .. In("top-level, hosting startup", "JSON source generator", "Program.cs", (Body, "/json", "json: v")),
        new("top-level, hosting startup", "JSON source generator", Signature, "/json",
            (project, version) => project.Replace("Program.cs", version == 2 ? "int Number)" : $"int Number{version - 1})", $"int Number{version})"),
            version => $"\"number{version}\":1"),
        new("top-level, hosting startup", "generated Regex", "changed attribute", "/regex?text=abcdef",
            (project, version) => project.Replace("Program.cs", version == 2 ? "[a-z]+" : $"[a-z]{{{version - 1}}}", $"[a-z]{{{version}}}"),
            version => "abcdef"[..version]),
        new("top-level, hosting startup", "LoggerMessage", "changed attribute", "/log",
            (project, version) => project.Replace("Program.cs", $"visited v{version - 1}", $"visited v{version}"),
            version => $"visited v{version} 1 times"),
        new("top-level, hosting startup", "minimal API", Type, "/",
            (project, version) =>
            {
                project.Write("Program.cs", File.ReadAllText(project.PathOf("Program.cs"))
                    .Replace(version == 2 ? "\"body: v4\"" : $"new Added{version - 1}().ToString()", $"new Added{version}().ToString()", StringComparison.Ordinal)
                    + $"\n\ninternal sealed record Added{version};\n");
            },
            version => $"Added{version} {{ }}"),
    ];

    public static Row[] Startup { get; } =
    [
        .. In("Startup class, static void Main", "minimal API", "Startup.cs", (Body, "/", "body: v"), (StartUp, "/start-up", "start-up: v")),
        .. In("Startup class, static void Main", "controllers", "NotesController.cs", (Body, "/notes", "controller: v")),
        new("Startup class, static void Main", "controllers", Member, "/notes/added",
            (project, version) => project.Replace(
                "NotesController.cs",
                version == 2 ? "    [HttpPost]" : $"\"added: v{version - 1}\"",
                version == 2 ? "    [HttpGet(\"added\")]\n    public string Added() => \"added: v2\";\n\n    [HttpPost]" : $"\"added: v{version}\""),
            version => $"added: v{version}"),
        new("Startup class, static void Main", "controllers", NewFile, "/extra/2",
            (project, version) => project.Write($"Extra{version}Controller.cs", Extra(version)),
            _ => "extra: 2"),
        new("Startup class, static void Main", "controllers", DeletedFile, "/extra/2",
            (project, version) => File.Delete(project.PathOf($"Extra{version}Controller.cs")),
            _ => "status: 404"),
    ];

    public static Row[] Endpoints { get; } =
        [.. In("static async Task<int> Main, endpoints in code", "minimal API", "Program.cs", (Body, "/", "body: v"))];

    public static Row[] TwoHosts { get; } =
        [.. In("bootstrap host and two web hosts", "minimal API", "Program.cs", (Body, "/", "body: v"))];

    public static Row[] Worker { get; } =
    [
        .. In("no web server", "background service", "Clock.cs", (Body, null, "worker: v")),
        new("no web server", "background service", StartUp, null,
            (project, version) => project.Replace(
                "Program.cs",
                version == 2 ? "var builder" : $"Console.WriteLine(\"start-up: v{version - 1}\");\nvar builder",
                $"Console.WriteLine(\"start-up: v{version}\");\nvar builder"),
            version => $"start-up: v{version}"),
    ];

    public static Row[] Site { get; } =
    [
        .. In("top-level, app.Run()", "MVC", "Controllers/HomeController.cs", (Body, "/Home/Text", "action: v")),
        .. In("top-level, app.Run()", "MVC tag helper", "Controllers/BannerTagHelper.cs", (Body, "/", "tag helper: v")),
        .. In("top-level, app.Run()", "MVC view component", "Controllers/ClockViewComponent.cs", (Body, "/", "view component: v")),
        .. In("top-level, app.Run()", "MVC view", "Views/Home/Index.cshtml", (View, "/", "view: v")),
        .. In("top-level, app.Run()", "Razor Pages", "Pages/Terms.cshtml", (View, "/Terms", "page: v")),
        .. In("top-level, app.Run()", "Razor Pages", "Pages/Terms.cshtml.cs", (Body, "/Terms", "page model: v")),
        new("top-level, app.Run()", "Razor Pages", NewFile, "/New2",
            (project, version) => project.Write($"Pages/New{version}.cshtml", $"@page\n<p>new page: {version}</p>\n"),
            _ => "new page: 2"),
        new("top-level, app.Run()", "Razor Pages", DeletedFile, "/New2",
            (project, version) => File.Delete(project.PathOf($"Pages/New{version}.cshtml")),
            _ => "status: 404"),
        .. In("top-level, app.Run()", "Blazor, static", "Components/Pages/Shelves.razor", (View, "/shelves", "component: v")),
        .. In("top-level, app.Run()", "Blazor Server", "Components/Counter.razor", (View, "/shelves", "interactive: v")),
        .. In("top-level, app.Run()", "class library", "../Prices/PriceList.cs", (Body, "/library", "library: v")),
        new("top-level, app.Run()", "class library", Signature, "/library",
            (project, version) => project.Replace(
                "../Prices/PriceList.cs",
                version == 2 ? "Title()" : $"Title(int version = {version - 1})",
                $"Title(int version = {version})"),
            _ => "library: v4"),
        .. In("top-level, app.Run()", "Razor class library", "../Catalog/Shelf.razor", (View, "/shelves", "library component: v")),
        .. In("top-level, app.Run()", "EF Core", "Data/Shop.cs", (Body, "/articles", "article: v")),
    ];

    /// <summary>Rows that count a version up in one file.</summary>
    private static IEnumerable<Row> In(string host, string framework, string file, params (string Change, string? Path, string Text)[] rows) =>
        rows.Select(row => new Row(
            host,
            framework,
            row.Change,
            row.Path,
            (project, version) => project.Replace(file, $"{row.Text}{version - 1}", $"{row.Text}{version}"),
            version => $"{row.Text}{version}"));

    private static string Extra(int version) => $$"""
        using Microsoft.AspNetCore.Mvc;

        namespace Startup;

        [Route("extra/{{version}}")]
        public sealed class Extra{{version}}Controller : ControllerBase
        {
            [HttpGet]
            public string Get() => "extra: {{version}}";
        }
        """;
}
