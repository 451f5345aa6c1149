using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading.Templates;

/// <summary>What the SDK makes is reloaded with one line of code, under <c>dotnet run</c> with the project's own launch profile.</summary>
[Collection(nameof(SdkTemplates))]
public sealed class TemplateTests(SdkTemplates.Built templates)
{
    private static readonly Dictionary<string, string> NothingMore = [];

    [Theory]
    [InlineData("web", "Program.cs", "Hello World!", "Hello, edited!", "/")]
    [InlineData("webapi", "Program.cs", "\"Freezing\", \"Bracing\", \"Chilly\", \"Cool\", \"Mild\", \"Warm\", \"Balmy\", \"Hot\", \"Sweltering\", \"Scorching\"", "\"Edited\"", "/weatherforecast")]
    [InlineData("webapiaot", "Program.cs", "Walk the dog", "Walk the cat", "/todos/1")]
    [InlineData("mvc", "Views/Home/Index.cshtml", "Welcome", "Welcome, edited", "/")]
    [InlineData("webapp", "Pages/Index.cshtml", "Welcome", "Welcome, edited", "/")]
    [InlineData("blazor", "Components/Pages/Home.razor", "Hello, world!", "Hello, edited!", "/")]
    [InlineData(SdkTemplates.Built.FSharp, "Program.fs", "Hello World!", "Hello, edited!", "/")]
    public async Task WebTemplate_WithUseDevReloader_ServesTheEditAndThenTheOriginalAgain(
        string template, string file, string original, string edited, string path)
    {
        var project = templates.Project(template);
        await using var app = await StartAsync(project, "--urls=http://127.0.0.1:0");
        var before = await app.GetAsync(path);
        Assert.DoesNotContain(edited.Trim('"'), before, StringComparison.Ordinal);

        // Without AddDevReloader the first reload opens another port 0.
        var mark = app.Console.Count;
        await app.ReloadAsync(() => project.Replace(file, original, edited));
        await app.WaitUntilListeningAsync(mark);
        Assert.Contains(edited.Trim('"'), await app.GetAsync(path), StringComparison.Ordinal);

        await app.ReloadAsync(() => project.Replace(file, edited, original));
        Assert.DoesNotContain(edited.Trim('"'), await app.GetAsync(path), StringComparison.Ordinal);
        Assert.DoesNotContain(app.Console.Since(0), line => line.Contains("The dev reloader is off", StringComparison.Ordinal));
    }

    [Fact]
    public async Task WorkerTemplate_WithAddDevReloader_RunsTheEdit()
    {
        var project = templates.Project("worker");
        await using var app = await StartAsync(project);
        await app.Console.WaitForAsync("Worker running at");

        await app.ReloadAsync(() => project.Replace("Worker.cs", "Worker running at", "Edited worker running at"));

        await app.Console.WaitForAsync("Edited worker running at");
    }

    private static async Task<ReloadableApp> StartAsync(ReloadableProject project, params string[] arguments)
    {
        var app = ReloadableApp.Launch(project, NothingMore, [ReloadableProject.Dotnet, "run", "--", .. arguments]);
        await app.WaitUntilReadyAsync();
        if (arguments.Length > 0)
        {
            await app.WaitUntilListeningAsync();
        }

        return app;
    }
}
