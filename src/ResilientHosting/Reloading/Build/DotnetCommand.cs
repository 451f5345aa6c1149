using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace ResilientHosting.Reloading;

/// <summary>Runs the SDK's command line in a process of its own.</summary>
internal static class DotnetCommand
{
    /// <summary>
    /// Runs a command to its end. Cancelled, it ends the process and everything the process has started, before the call that cancels
    /// returns: that may be the last thing this process does.
    /// </summary>
    /// <returns>The exit code, what was printed, and what was printed as an error.</returns>
    public static async Task<(int ExitCode, string Output, string Errors)> RunAsync(
        string dotnet, IEnumerable<string> arguments, string workingDirectory, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(dotnet, arguments)
        {
            WorkingDirectory = workingDirectory,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            CreateNoWindow = true,
        };

        // What the process around us was told about itself would be wrong for another MSBuild.
        foreach (var inherited in start.Environment.Keys.Where(key => key.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToArray())
        {
            start.Environment.Remove(inherited);
        }

        // We read what it prints, and may show it where nothing understands colours.
        start.Environment.Remove("DOTNET_SYSTEM_CONSOLE_ALLOW_ANSI_COLOR_REDIRECTION");
        start.Environment["NO_COLOR"] = "1";

        // It needs both, and this process may have neither.
        if (ScratchFolder.FindReplacement(workingDirectory) is { } folder)
        {
            start.Environment["TMPDIR"] = folder;
        }

        if (!OperatingSystem.IsWindows() && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("HOME")))
        {
            start.Environment["HOME"] = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        }

        cancellationToken.ThrowIfCancellationRequested();
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{dotnet} could not be started.");
        using var ending = cancellationToken.UnsafeRegister(static process => End((Process)process!), process);
        process.StandardInput.Close();
        try
        {
            var errors = process.StandardError.ReadToEndAsync(cancellationToken);
            var output = await process.StandardOutput.ReadToEndAsync(cancellationToken).ConfigureAwait(false);
            await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
            return (process.ExitCode, output, await errors.ConfigureAwait(false));
        }
        finally
        {
            End(process);
        }
    }

    private static void End(Process process)
    {
        // Whoever comes second waits: what the process has started is ended after the process itself.
        lock (process)
        {
            EndAll(process);
        }
    }

    private static void EndAll(Process process)
    {
        try
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception or AggregateException)
        {
            // It, or something it has started, has ended in this very moment.
        }
    }
}
