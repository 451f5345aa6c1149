using System.Diagnostics;
using System.Globalization;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Aborts.Policy.Adoption;

/// <summary>The application for tests of two processes, as a process of its own. Disposal ends it.</summary>
public sealed class ResendProcess : IAsyncDisposable
{
    private readonly Process _process;

    private ResendProcess(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, line) => Console.Add(line.Data ?? "");
        process.ErrorDataReceived += (_, line) => Console.Add(line.Data ?? "");
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public ConsoleLines Console { get; } = new();

    public HttpClient Client { get; private set; } = new();

    public int Id => _process.Id;

    public static async Task<ResendProcess> StartAsync(PostgreSqlServer server, TimeSpan lease)
    {
        var command = new ProcessStartInfo(
            ReloadableProject.Dotnet,
            [
                "exec", typeof(ResendApp.Application).Assembly.Location,
                "--urls", "http://127.0.0.1:0",
                "--Database", server.ConnectionString,
                "--Lease", lease.ToString("c", CultureInfo.InvariantCulture),
            ])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var app = new ResendProcess(Process.Start(command)!);
        const string Announcement = "Now listening on: ";
        var line = await app.Console.WaitForAsync(Announcement);
        app.Client.Dispose();
        app.Client = new HttpClient
        {
            BaseAddress = new Uri(line[(line.IndexOf(Announcement, StringComparison.Ordinal) + Announcement.Length)..]),
            Timeout = ConsoleLines.Timeout,
        };

        // One machine, two names: what a proxy in front of two machines makes the same.
        app.Client.DefaultRequestHeaders.Host = "application";
        return app;
    }

    public async Task<string> SendAsync(string key, CancellationTokenSource? leaving = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/work");
        request.Headers.Add("Idempotency-Key", key);
        using var response = await Client.SendAsync(request, leaving?.Token ?? CancellationToken.None);
        return $"{(int)response.StatusCode} {await response.Content.ReadAsStringAsync(CancellationToken.None)}";
    }

    /// <summary>Ends the process as a crash would (SIGKILL), by its id.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync().WaitAsync(ConsoleLines.Timeout);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        if (!_process.HasExited)
        {
            await KillAsync();
        }

        _process.Dispose();
    }
}
