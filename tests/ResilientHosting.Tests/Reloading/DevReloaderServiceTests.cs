using System.Text.Json;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

/// <summary>What an application can ask of the reloader that runs it.</summary>
[Collection(nameof(ReloaderProcesses))]
public sealed class DevReloaderServiceTests(ReloadableProject project, SharedApp shared) : IClassFixture<SharedApp>, IAsyncLifetime
{
    private ReloadableApp App => shared.App;

    public async ValueTask InitializeAsync() => await App.ResetAsync(project);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task RequestReload_WithoutAnEdit_StartsTheApplicationAgain()
    {
        var before = await App.GetAsync("/reloader");
        var mark = App.Console.Count;

        await App.PostAsync("/reloader/reload?reason=because");
        var line = await App.Console.WaitForAsync("-> generation", mark);

        Assert.StartsWith("dev reloader: because -> generation ", line, StringComparison.Ordinal);
        Assert.Equal(int.Parse(before, null) + 1, int.Parse(await App.GetAsync("/reloader"), null));
    }

    [Fact]
    public async Task Pause_EditsMeanwhile_AreOneReloadAfterResume()
    {
        await App.PostAsync("/reloader/pause");
        var before = await App.GetGenerationAsync();
        project.EditGreeting("original", "first");
        project.EditGreeting("first", "second");
        project.Write("Extra.cs", "namespace Added; class Extra;");
        Assert.Equal("original", await App.GetAsync("/"));

        var mark = App.Console.Count;
        await App.PostAsync("/reloader/resume");
        var line = await App.Console.WaitForAsync("-> generation", mark);

        Assert.Contains($"and 1 more -> generation {before + 1} ", line, StringComparison.Ordinal);
        Assert.Equal("second", await App.GetAsync("/"));
        Assert.Equal("Extra", await App.GetAsync("/added"));
    }

    [Fact]
    public async Task History_AfterSuccessAndError_TellsBothInOrder()
    {
        var served = await App.ReloadAsync(() => project.EditGreeting("original", "good"));
        await App.ExpectAsync("keeps serving", () => project.Write("Message.cs", "class Unfinished {"));

        // The record is written right after its line was printed; the next reload comes after both.
        await App.ReloadAsync(() => project.Restore());
        var records = JsonDocument.Parse(await App.GetAsync("/reloader/history")).RootElement.EnumerateArray().ToArray();

        var good = records.Last(record => record.GetProperty("generation").GetInt32() == served && record.GetProperty("succeeded").GetBoolean());
        Assert.Equal("Program.cs", good.GetProperty("reason").GetString());
        Assert.Empty(good.GetProperty("errors").EnumerateArray());
        Assert.NotEqual(TimeSpan.Zero, TimeSpan.Parse(good.GetProperty("total").GetString()!, null));

        var bad = records.Last(record => !record.GetProperty("succeeded").GetBoolean());
        Assert.Equal(served, bad.GetProperty("generation").GetInt32());
        Assert.Contains(bad.GetProperty("errors").EnumerateArray(), error => error.GetString()!.Contains("Message.cs(1,", StringComparison.Ordinal));
    }
}
