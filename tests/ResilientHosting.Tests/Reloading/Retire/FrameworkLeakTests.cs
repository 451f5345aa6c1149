using ResilientHosting.Tests.Infrastructure;
using ResilientHosting.Tests.Reloading.Hosts;

namespace ResilientHosting.Tests.Reloading.Retire;

/// <summary>Ordinary applications leak nothing, whatever frameworks they use.</summary>
[Collection(nameof(HostApps))]
public sealed class FrameworkLeakTests(HostApps.Built apps)
{
    private const int Reloads = 4;

    [Fact]
    public async Task MvcRazorPagesBlazorSignalRAndEntityFramework_Reloaded_LeaveNothingBehind()
    {
        await using var app = await ReloadableApp.RunAsync(apps.Site, null, apps.DatabaseArgument);
        await app.ReloadAsync(() => apps.Site.Replace("Program.cs", "app.Run();", LoadedGenerations.Endpoint + "app.Run();"));

        await ReloadAsync(app, apps.Site, "Controllers/HomeController.cs", "action: ", "/", "/terms", "/shelves", "/articles", "/options", "/openapi/v1.json", "/site.css");
    }

    [Fact]
    public async Task MinimalApi_Reloaded_LeavesNothingBehind()
    {
        await using var app = await ReloadableApp.RunAsync(apps.Minimal, HostApps.Built.HostingStartup);
        await app.ReloadAsync(() => apps.Minimal.Replace("Program.cs", "await app.RunAsync();", LoadedGenerations.Endpoint + "await app.RunAsync();"));

        await ReloadAsync(app, apps.Minimal, "Program.cs", "body: ", "/", "/start-up", "/json", "/regex?text=abc", "/log", "/ticker");
    }

    [Fact]
    public async Task StartupClass_Reloaded_LeavesNothingBehind()
    {
        await using var app = await ReloadableApp.RunAsync(apps.Startup);
        await app.ReloadAsync(() => apps.Startup.Replace(
            "Startup.cs",
            "endpoints.MapControllers();",
            LoadedGenerations.Endpoint.Replace("app.", "endpoints.", StringComparison.Ordinal) + "endpoints.MapControllers();"));

        await ReloadAsync(app, apps.Startup, "NotesController.cs", "controller: ", "/notes");
    }

    private static async Task ReloadAsync(ReloadableApp app, ReloadableProject project, string file, string text, params string[] paths)
    {
        for (var (reload, now) = (1, text); reload <= Reloads; reload++)
        {
            var next = $"{text}{reload} ";
            await app.ReloadAsync(() => project.Replace(file, now, next));
            now = next;
            foreach (var path in paths)
            {
                await app.GetAsync(path);
            }
        }

        await LoadedGenerations.WaitForOneAsync(app);
        LoadedGenerations.AssertNoneMentioned(app);
    }
}
