using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

/// <summary>Edits of all kinds, saved one after another into the same running process.</summary>
[Collection(nameof(ReloaderProcesses))]
public sealed class EditTests(ReloadableProject project, SharedApp shared) : IClassFixture<SharedApp>, IAsyncLifetime
{
    private ReloadableApp App => shared.App;

    public async ValueTask InitializeAsync() => await App.ResetAsync(project);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task ProgramEdited_NextRequest_IsServedByTheNextGenerationOfTheSameProcess()
    {
        var before = await App.GetGenerationAsync();
        Assert.Equal("original", await App.GetAsync("/"));

        var reloaded = await App.ReloadAsync(() => project.EditGreeting("original", "edited"));

        Assert.Equal(before + 1, reloaded);
        Assert.Equal(reloaded, await App.GetGenerationAsync());
        Assert.Equal("edited", await App.GetAsync("/"));
        Assert.Equal($"{App.ProcessId}", await App.GetAsync("/pid"));
    }

    [Fact]
    public async Task ServiceRegistrationEdited_Reload_RunsTheStartUpCodeAgain()
    {
        await App.ReloadAsync(() => project.Replace("Program.cs", "new Message(\"registered\")", "new Message(\"registered anew\")"));

        Assert.Equal("registered anew", await App.GetAsync("/message"));
    }

    [Fact]
    public async Task FileAddedAndDeleted_Reload_CompilesWhatIsThere()
    {
        var added = await App.ExpectAsync("-> generation", () => project.Write("Features/Orders.cs", "namespace Added; internal class Orders;"));

        Assert.StartsWith("dev reloader: Features/Orders.cs added -> ", added, StringComparison.Ordinal);
        Assert.Equal("Orders", await App.GetAsync("/added"));

        var deleted = await App.ExpectAsync("-> generation", () => File.Delete(project.PathOf("Features/Orders.cs")));

        Assert.StartsWith("dev reloader: Features/Orders.cs deleted -> ", deleted, StringComparison.Ordinal);
        Assert.Equal("", await App.GetAsync("/added"));
    }

    [Fact]
    public async Task CompileError_Saved_KeepsTheLastGoodVersionAndShowsWhere()
    {
        var good = await App.GetGenerationAsync();
        var mark = App.Console.Count;

        var summary = await App.ExpectAsync("keeps serving", () => project.Write("Message.cs", "internal sealed record Message(string Text);\nclass Broken { Missing _x; }"));

        Assert.Equal($"dev reloader: Message.cs: 1 error, generation {good} keeps serving", summary);
        Assert.Equal(
            [$"{project.PathOf("Message.cs")}(2,16): error CS0246: The type or namespace name 'Missing' could not be found (are you missing a using directive or an assembly reference?) [{project.PathOf("App.csproj")}]"],
            App.Console.Since(mark).Where(line => line.Contains("error CS", StringComparison.Ordinal)));
        Assert.Equal(good, await App.GetGenerationAsync());
        Assert.Equal("original", await App.GetAsync("/"));

        var fixedGeneration = await App.ReloadAsync(() => project.Write("Message.cs", "internal sealed record Message(string Text) { public int Fixed => 1; }"));

        Assert.Equal(good + 1, fixedGeneration);
        Assert.Equal(fixedGeneration, await App.GetGenerationAsync());
    }

    [Fact]
    public async Task ManyFiles_AppearingAtOnce_AreOneReload()
    {
        var drafts = project.PathBeside("drafts");
        Directory.CreateDirectory(drafts);
        for (var number = 0; number < 500; number++)
        {
            await File.WriteAllTextAsync(Path.Combine(drafts, $"Type{number}.cs"), $"namespace Added; class Type{number};", TestContext.Current.CancellationToken);
        }

        var before = await App.GetGenerationAsync();
        var reloaded = await App.ReloadAsync(() => Directory.Move(drafts, project.PathOf("Burst")));

        Assert.Equal(before + 1, reloaded);
        Assert.Equal(500, (await App.GetAsync("/added")).Split(',').Length);

        // Whatever was left of the burst would be part of the next reload, and named by it.
        var next = await App.ExpectAsync("-> generation", () => project.EditGreeting("original", "after the burst"));
        Assert.StartsWith($"dev reloader: Program.cs -> generation {before + 2} ", next, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SameBytesSaved_NextLook_FindsNoChange()
    {
        var before = await App.GetGenerationAsync();
        project.Write("Program.cs", await File.ReadAllBytesAsync(project.PathOf("Program.cs"), TestContext.Current.CancellationToken));
        File.SetLastWriteTimeUtc(project.PathOf("Message.cs"), new DateTime(2001, 2, 3, 0, 0, 0, DateTimeKind.Utc));

        // A look that finds no change names the reason it was asked for; one that found a change would name the file.
        var mark = App.Console.Count;
        await App.PostAsync("/reloader/reload?reason=look%20again");
        var line = await App.Console.WaitForAsync("-> generation", mark);

        Assert.StartsWith($"dev reloader: look again -> generation {before + 1} ", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SavedTwiceQuickly_WhileBuilding_EndsWithTheLastContent()
    {
        var mark = App.Console.Count;
        project.EditGreeting("original", "first");
        project.EditGreeting("first", "second");

        do
        {
            await App.Console.WaitForAsync("-> generation", mark);
            mark = App.Console.Count;
        }
        while (await App.GetAsync("/") != "second");
    }

    [Fact]
    public async Task StartFails_Reload_ServesTheLastGoodVersionAndRecovers()
    {
        var pid = await App.GetAsync("/pid");
        var mark = App.Console.Count;

        await App.ExpectAsync("serves again", () => project.InsertAtStart("if (args.Length >= 0) throw new InvalidOperationException(\"no settings\");"));

        var shown = string.Join('\n', App.Console.Since(mark));
        Assert.Contains("System.InvalidOperationException: no settings", shown, StringComparison.Ordinal);
        Assert.Contains("Program.cs:line ", shown, StringComparison.Ordinal);
        Assert.Equal("original", await App.GetAsync("/"));

        await App.ReloadAsync(() =>
        {
            project.Restore();
            project.EditGreeting("original", "recovered");
        });

        Assert.Equal("recovered", await App.GetAsync("/"));
        Assert.Equal(pid, await App.GetAsync("/pid"));
    }

    [Fact]
    public async Task ReferencedProject_Reload_IsLoadedFreshWithItsStatics()
    {
        var first = await App.ReloadAsync(() => project.EditGreeting("original", "one"));
        Assert.Equal($"generation {first}: 1", await App.GetAsync("/library"));
        Assert.Equal($"generation {first}: 2", await App.GetAsync("/library"));

        var second = await App.ReloadAsync(() => project.EditGreeting("one", "two"));

        Assert.Equal($"generation {second}: 1", await App.GetAsync("/library"));
    }

    [Fact]
    public async Task ReferencedProjectEdited_InsideAMethod_IsServedWithoutCompilingTheApplication()
    {
        var next = await App.ReloadAsync(() => project.Replace("../Library/Counter.cs", "Increment(ref _value)", "Increment(ref _value) + 100"));

        Assert.Equal($"generation {next}: 101", await App.GetAsync("/library"));
    }

    [Fact]
    public async Task ReferencedProjectEdited_TogetherWithItsUse_IsCompiledFirst()
    {
        var next = await App.ReloadAsync(() =>
        {
            project.Replace("../Library/Counter.cs", "int Next()", "long Next(long by)");
            project.Replace("../Library/Counter.cs", "Interlocked.Increment(ref _value)", "Interlocked.Increment(ref _value) + by");
            project.Replace("Program.cs", "Counter.Next()", "Counter.Next(1_000_000_000_000)");
        });

        Assert.Equal($"generation {next}: 1000000000001", await App.GetAsync("/library"));
    }

    [Fact]
    public async Task ReferencedProjectEdited_AgainstItsUse_IsAnErrorOfTheApplicationUntilEitherIsMended()
    {
        var mark = App.Console.Count;
        await App.ExpectAsync("keeps serving", () => project.Replace("../Library/Counter.cs", "Next()", "Following()"));

        Assert.Contains(App.Console.Since(mark), line => line.StartsWith(project.PathOf("Program.cs"), StringComparison.Ordinal));
        Assert.NotEqual("", await App.GetAsync("/library"));

        var mended = await App.ReloadAsync(() => project.Replace("Program.cs", "Counter.Next()", "Counter.Following()"));
        Assert.Equal($"generation {mended}: 1", await App.GetAsync("/library"));
    }

    [Theory]
    [InlineData("CS1056", new byte[] { 0xC3, 0x28, 0xFF, 0xFE, 0x0A })]
    [InlineData("CS2015", new byte[] { 0x63, 0x6C, 0x00, 0x00, 0x00, 0x00, 0x01, 0x02 })]
    public async Task NoText_SavedAsSource_IsAnErrorThatAFixEnds(string error, byte[] content)
    {
        // The line, not the summary, which may still be about what an earlier test has put back.
        var line = await App.ExpectAsync($"error {error}: ", () => project.Write("Message.cs", content));

        Assert.StartsWith(project.PathOf("Message.cs"), line, StringComparison.Ordinal);
        Assert.Equal("original", await App.GetAsync("/"));

        await App.ReloadAsync(() => project.Write("Message.cs", "internal sealed record Message(string Text) { public int Readable => 1; }"));
    }

    [Fact]
    public async Task ProjectFolder_GoneAndBack_IsWatchedAgain()
    {
        var elsewhere = project.PathBeside("elsewhere");
        await App.ExpectAsync("is gone", () => Directory.Move(project.Folder, elsewhere));
        Assert.Equal("original", await App.GetAsync("/"));

        await App.ExpectAsync("is back", () => Directory.Move(elsewhere, project.Folder));
        await App.ReloadAsync(() => project.EditGreeting("original", "back again"));

        Assert.Equal("back again", await App.GetAsync("/"));
    }
}
