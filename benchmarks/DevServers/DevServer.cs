using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace ResilientHosting.Benchmarks.DevServers;

/// <summary>An application under development, in a process group of its own and without a terminal. Disposal ends the whole group.</summary>
internal sealed class DevServer : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(2);

    private readonly Process _process;
    private readonly HttpClient _client;
    private readonly TaskCompletionSource _watching = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private DevServer(Process process, Uri address, Version version)
    {
        _process = process;
        Address = address;

        // A connection of its own for every poll: a browser's or a script's next request. The certificate is our own.
        _client = new HttpClient(new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = static (_, certificate, _, _) => certificate?.Subject == "CN=localhost" } })
        {
            BaseAddress = address,
            DefaultRequestHeaders = { ConnectionClose = version.Major == 1 },
            DefaultRequestVersion = version,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Timeout = TimeSpan.FromSeconds(30),
        };
        process.OutputDataReceived += (_, line) => Read(line.Data);
        process.ErrorDataReceived += (_, line) => Read(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        process.StandardInput.Close();
    }

    public Uri Address { get; }

    /// <summary>Starts it, and waits until it answers and is ready for edits.</summary>
    public static async Task<DevServer> StartAsync(Solution solution, Contestant contestant, CancellationToken cancellationToken)
    {
        var address = new Uri($"{contestant.Http.Scheme}://127.0.0.1:{FreePort()}");
        var start = new ProcessStartInfo
        {
            // Its children stay in its group, and a signal reaches all of them, even those whose parent has gone.
            FileName = OperatingSystem.IsLinux() ? "setsid" : "dotnet",
            WorkingDirectory = solution.ProjectDirectory,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in OperatingSystem.IsLinux() ? ["dotnet", .. contestant.Arguments] : contestant.Arguments)
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var (name, value) in contestant.Environment)
        {
            start.Environment[name] = value;
        }

        start.Environment["ASPNETCORE_ENVIRONMENT"] = "Development";
        start.Environment["ASPNETCORE_URLS"] = address.ToString();
        start.Environment["DOTNET_WATCH_SUPPRESS_LAUNCH_BROWSER"] = "1";
        var server = new DevServer(Process.Start(start)!, address, contestant.Http.Version);
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

    /// <summary>Asks until the answer contains the text.</summary>
    /// <returns>How many times nobody answered, and whether the text came within the limit.</returns>
    public async Task<(int Failed, bool Served)> WaitForAsync(string path, string text, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(2));
        var began = Stopwatch.GetTimestamp();
        var failed = 0;
        while (Stopwatch.GetElapsedTime(began) < limit)
        {
            try
            {
                if ((await _client.GetStringAsync(path, cancellationToken)).Contains(text, StringComparison.Ordinal))
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
        if (OperatingSystem.IsLinux())
        {
            using var kill = Process.Start("kill", ["-KILL", "--", string.Create(CultureInfo.InvariantCulture, $"-{_process.Id}")]);
            await kill.WaitForExitAsync();
        }
        else
        {
            _process.Kill(entireProcessTree: true);
        }

        await _process.WaitForExitAsync();
        _process.Dispose();
        _client.Dispose();
    }

    private async Task WaitUntilReadyAsync(string path, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(StartLimit);
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (true)
        {
            try
            {
                await _client.GetStringAsync(path, limit.Token);
                break;
            }
            catch (HttpRequestException)
            {
                await poll.WaitForNextTickAsync(limit.Token);
            }
        }

        await _watching.Task.WaitAsync(limit.Token);
    }

    private void Read(string? line)
    {
        // "dev reloader: watching …" here, "dotnet watch: Waiting for changes" or "Hot reload capabilities" there.
        if (line?.Contains("watching ", StringComparison.Ordinal) == true || line?.Contains("dotnet watch", StringComparison.Ordinal) == true)
        {
            _watching.TrySetResult();
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
