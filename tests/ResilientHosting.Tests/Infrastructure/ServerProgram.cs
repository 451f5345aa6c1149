using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace ResilientHosting.Tests.Infrastructure;

/// <summary>Finds and runs the programs of database servers. They refuse to run as root: there they run as the user of Debian's packages.</summary>
public static class ServerProgram
{
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    private static readonly string[] AsPostgres = ["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"];

    /// <summary>The full path of a program: from one of the folders, else from the PATH; <see langword="null"/> if it is not installed.</summary>
    public static string? Find(string program, params IEnumerable<string> folders)
    {
        var file = OperatingSystem.IsWindows() ? program + ".exe" : program;
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        return folders.Concat(path).Select(folder => Path.Combine(folder, file)).FirstOrDefault(File.Exists);
    }

    public static ProcessStartInfo Command(string path, params string[] arguments)
    {
        var isRoot = !OperatingSystem.IsWindows() && Environment.IsPrivilegedProcess;
        return new ProcessStartInfo(isRoot ? "setpriv" : path, isRoot ? [.. AsPostgres, path, .. arguments] : arguments)
        {
            WorkingDirectory = Path.GetTempPath(),
            RedirectStandardError = true,
            Environment = { ["LC_ALL"] = "C" },
        };
    }

    public static Process Start(ProcessStartInfo command) =>
        Process.Start(command) ?? throw new InvalidOperationException($"{command.FileName} did not start.");

    /// <summary>Runs a command to its end and throws, with what it said, if it failed.</summary>
    public static async Task RunAsync(ProcessStartInfo command)
    {
        command.RedirectStandardOutput = true;
        command.RedirectStandardError = true;
        using var process = Start(command);
        var output = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync()).WaitAsync(Timeout);
        await process.WaitForExitAsync().WaitAsync(Timeout);
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException(
                $"{command.FileName} {string.Join(' ', command.ArgumentList)} ended with {process.ExitCode}:\n{string.Concat(output)}");
        }
    }

    /// <summary>Sends a signal to processes, given by id.</summary>
    public static Task SignalAsync(string signal, IEnumerable<int> processes) => RunAsync(new ProcessStartInfo(
        "sh", ["-c", "kill -s \"$@\"", "kill", signal, .. processes.Select(id => id.ToString(CultureInfo.InvariantCulture))]));

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
