using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace ResilientHosting.Benchmarks.DevServers;

/// <summary>A running application, and how it is asked. Disposal ends it and whatever it has started.</summary>
internal sealed class DevServer : IAsyncDisposable
{
    /// <summary>How long an application may take until it answers.</summary>
    public static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(2);

    private readonly long _began = Stopwatch.GetTimestamp();
    private readonly TaskCompletionSource _watching = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly HttpClient _client;
    private readonly ChildGroup _children;

    private DevServer(Solution solution, Contestant contestant, int port, Action<string>? onLine)
    {
        Address = new Uri(string.Create(CultureInfo.InvariantCulture, $"{contestant.Http.Scheme}://127.0.0.1:{port}"));

        // A connection of its own for every poll: a browser's or a script's next request. The certificate is our own.
        _client = new HttpClient(new SocketsHttpHandler
        {
            SslOptions = { RemoteCertificateValidationCallback = static (_, certificate, _, _) => certificate?.Subject == "CN=localhost" },
        })
        {
            BaseAddress = Address,
            DefaultRequestHeaders = { ConnectionClose = contestant.Http.Version.Major == 1 },
            DefaultRequestVersion = contestant.Http.Version,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Timeout = TimeSpan.FromSeconds(30),
        };
        string[] command =
        [
            contestant.Program,
            .. contestant.Arguments.Select(argument => argument.Replace(Contestant.Port, $"{port}", StringComparison.Ordinal)),
        ];
        var environment = new Dictionary<string, string>
        {
            ["ASPNETCORE_ENVIRONMENT"] = "Development",
            ["ASPNETCORE_URLS"] = $"{Address}",
            ["PORT"] = $"{port}",
            ["DOTNET_WATCH_SUPPRESS_LAUNCH_BROWSER"] = "1",
        };
        foreach (var (name, value) in contestant.Environment)
        {
            environment[name] = value;
        }

        _children = ChildGroup.Start(solution.ProjectDirectory, command, environment, line =>
        {
            onLine?.Invoke(line);
            if (contestant.ReadyLine is { } ready && line.Contains(ready, StringComparison.Ordinal))
            {
                _watching.TrySetResult();
            }
        });
        if (contestant.ReadyLine is null)
        {
            _watching.SetResult();
        }
    }

    public Uri Address { get; }

    /// <summary>
    /// Gets the process that was started; it is the application's own if the contestant's arguments run the application itself.
    /// </summary>
    public int ProcessId => _children.Id;

    /// <summary>Gets the time from the start of the process to the first answer.</summary>
    public TimeSpan TimeToFirstAnswer { get; private set; }

    /// <summary>Starts it, and waits until it answers and is ready for edits.</summary>
    /// <param name="solution">The application.</param>
    /// <param name="contestant">What runs it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <param name="onLine">Sees each line that it prints.</param>
    public static async Task<DevServer> StartAsync(
        Solution solution, Contestant contestant, CancellationToken cancellationToken, Action<string>? onLine = null)
    {
        var server = new DevServer(solution, contestant, FreePort(), onLine);
        try
        {
            await server.WaitUntilReadyAsync(solution.Path, cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public Task<string> GetAsync(string path, CancellationToken cancellationToken) => _client.GetStringAsync(path, cancellationToken);

    /// <summary>Asks until the answer contains the text.</summary>
    /// <returns>How many times nobody answered, and whether the text came within the limit.</returns>
    public Task<(int Failed, bool Served)> WaitForAsync(string path, string text, TimeSpan limit, CancellationToken cancellationToken) =>
        WaitForAsync(path, answer => answer.Contains(text, StringComparison.Ordinal), limit, cancellationToken);

    /// <summary>Asks until the answer is as it should be.</summary>
    /// <returns>How many times nobody answered, and whether the answer came within the limit.</returns>
    public async Task<(int Failed, bool Served)> WaitForAsync(
        string path, Func<string, bool> isRight, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(2));
        var began = Stopwatch.GetTimestamp();
        var failed = 0;
        while (Stopwatch.GetElapsedTime(began) < limit)
        {
            try
            {
                if (isRight(await _client.GetStringAsync(path, cancellationToken)))
                {
                    return (failed, true);
                }
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
            {
                failed++;
            }

            await poll.WaitForNextTickAsync(cancellationToken);
        }

        return (failed, false);
    }

    public async ValueTask DisposeAsync()
    {
        await _children.DisposeAsync();
        _client.Dispose();
    }

    private async Task WaitUntilReadyAsync(string path, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(StartLimit);
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        while (true)
        {
            try
            {
                await _client.GetStringAsync(path, limit.Token);
                TimeToFirstAnswer = Stopwatch.GetElapsedTime(_began);
                break;
            }
            catch (HttpRequestException)
            {
                await poll.WaitForNextTickAsync(limit.Token);
            }
        }

        await _watching.Task.WaitAsync(limit.Token);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
