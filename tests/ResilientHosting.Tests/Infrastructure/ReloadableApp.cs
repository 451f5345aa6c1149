using System.Diagnostics;
using System.Globalization;

namespace ResilientHosting.Tests.Infrastructure;

/// <summary>The application of a <see cref="ReloadableProject"/>, running as a process of its own. Disposal ends the process.</summary>
public sealed class ReloadableApp : IAsyncDisposable
{
    public const string Generation = "X-Dev-Generation";

    private const string Announcement = "Now listening on: ";

    private readonly Process _process;
    private readonly ProcessFamily _family;

    private ReloadableApp(Process process, ProcessFamily family)
    {
        _process = process;
        _family = family;
        process.OutputDataReceived += (_, line) => Add(line.Data);
        process.ErrorDataReceived += (_, line) => Add(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        process.StandardInput.Close();
    }

    public ConsoleLines Console { get; } = new();

    public Uri Address { get; private set; } = new("http://127.0.0.1");

    public HttpClient Client { get; private set; } = new();

    public int ProcessId => _process.Id;

    /// <summary>Starts the process and waits for nothing.</summary>
    public static ReloadableApp Launch(ReloadableProject project, params string[] arguments) =>
        Launch(project, new Dictionary<string, string>(), [ReloadableProject.Dotnet, "exec", project.AssemblyPath, .. arguments]);

    public static ReloadableApp Launch(ReloadableProject project, IReadOnlyDictionary<string, string> environment, params string[] commandLine)
    {
        project.Restore();
        return Launch(project.Folder, environment, commandLine);
    }

    public static ReloadableApp Launch(string folder, IReadOnlyDictionary<string, string> environment, params string[] commandLine)
    {
        var command = ReloadableProject.Command(commandLine[0], commandLine[1..]);
        command.WorkingDirectory = folder;
        command.RedirectStandardOutput = true;
        command.RedirectStandardError = true;
        command.Environment["ASPNETCORE_URLS"] = "http://127.0.0.1:0";
        command.Environment["ASPNETCORE_ENVIRONMENT"] = "Development";
        foreach (var (name, value) in environment)
        {
            command.Environment[name] = value;
        }

        var family = new ProcessFamily(command);
        return new ReloadableApp(Process.Start(command)!, family);
    }

    /// <summary>Starts the process and waits until its reloader is ready for edits.</summary>
    public static async Task<ReloadableApp> StartAsync(ReloadableProject project, params string[] arguments)
    {
        var app = Launch(project, arguments);
        await app.WaitUntilListeningAsync();
        await app.WaitUntilReadyAsync();
        return app;
    }

    /// <summary>Starts the process as a developer does, with <c>dotnet run</c>, and waits until its reloader is ready for edits.</summary>
    public static async Task<ReloadableApp> RunAsync(
        ReloadableProject project, IReadOnlyDictionary<string, string>? environment = null, params string[] arguments)
    {
        // A host without a web server knows this variable only.
        var variables = new Dictionary<string, string>(environment ?? new Dictionary<string, string>())
        {
            ["DOTNET_ENVIRONMENT"] = "Development",
        };
        var app = Launch(project, variables, [ReloadableProject.Dotnet, "run", "--no-build", "--", .. arguments]);
        await app.WaitUntilReadyAsync();
        if (app.Console.Since(0).Any(line => line.Contains(Announcement, StringComparison.Ordinal)))
        {
            await app.WaitUntilListeningAsync();
        }

        return app;
    }

    /// <summary>Where the application has listened since a mark, in the order of its endpoints.</summary>
    public string[] AddressesSince(int mark) =>
        [.. Console.Since(mark)
            .Where(line => line.Contains(Announcement, StringComparison.Ordinal))
            .Select(line => line[(line.IndexOf(Announcement, StringComparison.Ordinal) + Announcement.Length)..])];

    public async Task WaitUntilListeningAsync(int mark = 0)
    {
        var line = await Console.WaitForAsync(Announcement, mark);
        ListensAt(new Uri(line[(line.IndexOf(Announcement, StringComparison.Ordinal) + Announcement.Length)..]));
    }

    /// <summary>Waits for the next start of an application that has no console to say it on.</summary>
    public async Task WaitUntilListeningAsync(StartAnnouncements announcements) => ListensAt(await announcements.NextAsync());

    public Task WaitUntilReadyAsync() => Console.WaitForAsync("dev reloader: watching");

    public HttpClient CreateClient() => new() { BaseAddress = Address, Timeout = ConsoleLines.Timeout };

    /// <summary>Does something and waits for the line it causes.</summary>
    public async Task<string> ExpectAsync(string line, Action action)
    {
        var mark = Console.Count;
        action();
        return await Console.WaitForAsync(line, mark);
    }

    /// <summary>Does something that is a reload, and returns the number of the generation that serves then.</summary>
    public async Task<int> ReloadAsync(Action action)
    {
        const string Arrow = "-> generation ";
        var line = await ExpectAsync(Arrow, action);
        return int.Parse(line[(line.IndexOf(Arrow, StringComparison.Ordinal) + Arrow.Length)..].Split(' ')[0], CultureInfo.InvariantCulture);
    }

    public Task<string> GetAsync(string path) => Client.GetStringAsync(path, TestContext.Current.CancellationToken);

    /// <summary>The generation that answers now, by its own account.</summary>
    public async Task<int> GetGenerationAsync()
    {
        using var response = await Client.GetAsync("/", TestContext.Current.CancellationToken);
        return int.Parse(Assert.Single(response.Headers.GetValues(Generation)), CultureInfo.InvariantCulture);
    }

    public async Task PostAsync(string path)
    {
        using var response = await Client.PostAsync(path, null, TestContext.Current.CancellationToken);
        response.EnsureSuccessStatusCode();
    }

    /// <summary>Brings the sources back to the original, as one reload.</summary>
    public async Task ResetAsync(ReloadableProject project)
    {
        await PostAsync("/reloader/pause");
        var changed = project.Restore();
        var mark = Console.Count;
        await PostAsync("/reloader/resume");
        if (changed)
        {
            await Console.WaitForAsync("-> generation ", mark);
        }
    }

    /// <summary>Sends a signal ("TERM", "INT") to the process that was started, or to the given one.</summary>
    public async Task SignalAsync(string signal, int? processId = null) => Assert.True(await TrySignalAsync(signal, processId));

    /// <summary>Sends a signal, if the process is still there to get it.</summary>
    public async Task<bool> TrySignalAsync(string signal, int? processId = null)
    {
        using var kill = Process.Start("kill", ["-s", signal, (processId ?? ProcessId).ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync().WaitAsync(ConsoleLines.Timeout);
        return kill.ExitCode == 0;
    }

    /// <summary>Waits for the process to end by itself.</summary>
    public async Task<int> WaitForExitAsync(TimeSpan? within = null)
    {
        try
        {
            await _process.WaitForExitAsync().WaitAsync(within ?? ConsoleLines.Timeout);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"The process has not ended. It printed:\n{Console}");
        }

        return _process.ExitCode;
    }

    /// <summary>Asserts that nothing which the process has started is left behind.</summary>
    public Task AssertNoOrphansAsync() => _family.AssertGoneAsync();

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync().WaitAsync(ConsoleLines.Timeout);
        }

        _family.Kill();

        _process.Dispose();
    }

    private void ListensAt(Uri address)
    {
        Address = address;
        Client.Dispose();
        Client = CreateClient();
    }

    private void Add(string? line)
    {
        if (line is not null)
        {
            Console.Add(line);
        }
    }
}
