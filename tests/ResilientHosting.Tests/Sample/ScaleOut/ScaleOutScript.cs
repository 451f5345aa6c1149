using System.Diagnostics;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Sample;

/// <summary>The sample's own script with everything it starts, in a folder of its own and on free ports.</summary>
internal sealed class ScaleOutScript : IAsyncDisposable
{
    private readonly Process _process;
    private readonly ProcessFamily _family;
    private readonly DirectoryInfo _folder;

    private ScaleOutScript(Process process, ProcessFamily family, DirectoryInfo folder)
    {
        _process = process;
        _family = family;
        _folder = folder;
        process.OutputDataReceived += Read;
        process.ErrorDataReceived += Read;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public ConsoleLines Output { get; } = new();

    public static ScaleOutScript StartOrSkip(params string[] arguments)
    {
        RequiredServers.Require(PostgreSqlServer.IsInstalled, "PostgreSQL", "postgresql");
        RequiredServers.Require(PgBouncerServer.IsInstalled, "PgBouncer", "pgbouncer");
        RequiredServers.Require(ServerProgram.Find("nginx", "/usr/sbin") is not null, "nginx", "nginx");
        RequiredServers.Require(ServerProgram.Find("curl") is not null, "curl", "curl");
        RequiredServers.Require(ServerProgram.Find("setpriv") is not null, "setpriv", "util-linux");

        // Not a folder of CreateTempSubdirectory: as root, that one would be closed to the user the servers run as.
        var folder = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), $"scaleout-test-{Guid.NewGuid():N}"));
        var command = new ProcessStartInfo("bash", [Repository.PathOf("samples", "ScaleOut", "run.sh"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["NO_BUILD"] = "1", ["CONFIGURATION"] = Configuration, ["PORT"] = "0", ["TMPDIR"] = folder.FullName },
        };
        var family = new ProcessFamily(command);
        return new ScaleOutScript(ServerProgram.Start(command), family, folder);
    }

    /// <summary>What Ctrl+C does.</summary>
    public Task InterruptAsync() => ServerProgram.SignalAsync("INT", [_process.Id]);

    /// <summary>Waits for the end of the script and finds nothing left of it.</summary>
    public async Task<int> WaitForExitAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(ConsoleLines.Timeout);
        await _family.AssertGoneAsync();
        Assert.Empty(_folder.EnumerateFileSystemInfos());
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        _family.Kill();
        await _process.WaitForExitAsync().WaitAsync(ConsoleLines.Timeout);
        _process.Dispose();
        _folder.Delete(recursive: true);
    }

    // Like the tests, the sample has been built for this one.
    private static string Configuration => AppContext.BaseDirectory.Contains("Release", StringComparison.Ordinal) ? "Release" : "Debug";

    private void Read(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is { } text)
        {
            Output.Add(text);
        }
    }
}
