using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

/// <summary>What a generation does to its process ends with it.</summary>
[Collection(nameof(ReloaderProcesses))]
public sealed class ProcessStateTests(ReloadableProject project)
{
    [Fact]
    public async Task ChangesToTheProcess_ByAGeneration_AreUndoneBeforeTheNext()
    {
        await using var app = await ReloadableApp.StartAsync(project);
        const string Show = """
            app.MapGet("/process", () => string.Join('|',
                Environment.CurrentDirectory, Environment.GetEnvironmentVariable("ADDED"), Environment.GetEnvironmentVariable("ASPNETCORE_ENVIRONMENT"),
                Environment.GetEnvironmentVariable("ASPNETCORE_URLS"), Environment.ExitCode, System.Globalization.CultureInfo.CurrentCulture.Name));
            """;
        await app.ReloadAsync(() => project.Replace("Program.cs", "app.MapFailures();", Show + "\napp.MapFailures();"));
        var before = await app.GetAsync("/process");
        Assert.StartsWith(project.Folder + "||Development|http://127.0.0.1:0|0|", before, StringComparison.Ordinal);

        const string Change = """
            Environment.CurrentDirectory = "/";
            Environment.SetEnvironmentVariable("ADDED", "added");
            Environment.SetEnvironmentVariable("ASPNETCORE_ENVIRONMENT", "Staging");
            Environment.SetEnvironmentVariable("ASPNETCORE_URLS", null);
            Environment.ExitCode = 5;
            System.Globalization.CultureInfo.DefaultThreadCurrentCulture = new System.Globalization.CultureInfo("fr-FR");
            app.MapFailures();
            """;
        await app.ReloadAsync(() => project.Replace("Program.cs", "app.MapFailures();", Change));
        Assert.Equal("/|added|Staging||5|fr-FR", await app.GetAsync("/process"));

        await app.ReloadAsync(() => project.Replace("Program.cs", Change, "app.MapFailures();"));
        Assert.Equal(before, await app.GetAsync("/process"));
    }
}
