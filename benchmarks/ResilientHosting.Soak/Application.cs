using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using ResilientHosting.Benchmarks.DevServers;

namespace ResilientHosting.Soak;

/// <summary>The application under development, as a process of its own. Disposal ends it.</summary>
internal sealed class Application : IAsyncDisposable
{
    private const string LeakMark = "stays in memory";

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    private readonly Process _process;
    private readonly HttpClient _client;
    private readonly TaskCompletionSource _watching = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentQueue<string> _leaks = [];

    private Application(Process process, Uri address)
    {
        _process = process;
        Address = address;

        // What is asked for here must not keep an old generation's connection open.
        _client = new HttpClient { BaseAddress = address, DefaultRequestHeaders = { ConnectionClose = true }, Timeout = Limit };
        process.OutputDataReceived += (_, line) => Read(line.Data);
        process.ErrorDataReceived += (_, line) => Read(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        process.StandardInput.Close();
    }

    public Uri Address { get; }

    public int ProcessId => _process.Id;

    /// <summary>Gets what the reloader has said of generations that stay in memory.</summary>
    public IReadOnlyCollection<string> Leaks => _leaks;

    /// <summary>Starts it, and waits until its reloader is ready for edits.</summary>
    public static async Task<Application> StartAsync(Solution solution, CancellationToken cancellationToken)
    {
        var address = new Uri($"http://127.0.0.1:{FreePort()}");
        var start = new ProcessStartInfo("dotnet", ["exec", Path.Combine(solution.ProjectDirectory, "bin", "Debug", "net10.0", "MinimalApi.dll")])
        {
            WorkingDirectory = solution.ProjectDirectory,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["ASPNETCORE_ENVIRONMENT"] = "Development",
                ["ASPNETCORE_URLS"] = address.ToString(),
                ["DOTNET_MODIFIABLE_ASSEMBLIES"] = "debug",
                ["DOTNET_TieredPGO"] = "0",
            },
        };
        var application = new Application(Process.Start(start)!, address);
        try
        {
            await application._watching.Task.WaitAsync(Limit, cancellationToken);
            return application;
        }
        catch
        {
            await application.DisposeAsync();
            throw;
        }
    }

    public Task<string> GetAsync(string path, CancellationToken cancellationToken) => _client.GetStringAsync(path, cancellationToken);

    /// <summary>Asks until the answer contains the text.</summary>
    public async Task WaitForAsync(string path, string text, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Limit);
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        while (!(await GetAsync(path, limit.Token)).Contains(text, StringComparison.Ordinal))
        {
            await poll.WaitForNextTickAsync(limit.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        _client.Dispose();
    }

    private void Read(string? line)
    {
        if (line?.StartsWith("dev reloader: watching ", StringComparison.Ordinal) == true)
        {
            _watching.TrySetResult();
        }
        else if (line?.Contains(LeakMark, StringComparison.Ordinal) == true)
        {
            _leaks.Enqueue(line);
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
