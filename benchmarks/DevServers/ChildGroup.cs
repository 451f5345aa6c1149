using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace ResilientHosting.Benchmarks.DevServers;

/// <summary>
/// A program without a terminal, in a process group of its own. Disposal ends the whole group, and so does a signal that ends this process,
/// since it does not reach another group by itself.
/// </summary>
internal sealed class ChildGroup : IAsyncDisposable
{
    private readonly Process _leader;
    private readonly PosixSignalRegistration[] _signals;

    private ChildGroup(Process leader)
    {
        _leader = leader;
        _signals =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, _ => End()),
            PosixSignalRegistration.Create(PosixSignal.SIGINT, _ => End()),
        ];
    }

    /// <summary>Gets the process that was started. The number of the group is the same.</summary>
    public int Id => _leader.Id;

    /// <param name="directory">Where it runs.</param>
    /// <param name="command">The program and its arguments.</param>
    /// <param name="environment">Variables beside those of this process.</param>
    /// <param name="onLine">Sees each line that it prints, from two threads.</param>
    public static ChildGroup Start(
        string directory, IReadOnlyList<string> command, IReadOnlyDictionary<string, string> environment, Action<string> onLine)
    {
        // Its children stay in its group, and a signal reaches all of them, even those whose parent has gone.
        string[] words = OperatingSystem.IsLinux() ? ["setsid", .. command] : [.. command];
        var start = new ProcessStartInfo(words[0], words[1..])
        {
            WorkingDirectory = directory,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        var leader = Process.Start(start)!;
        leader.OutputDataReceived += Read;
        leader.ErrorDataReceived += Read;
        leader.BeginOutputReadLine();
        leader.BeginErrorReadLine();
        leader.StandardInput.Close();
        return new ChildGroup(leader);

        void Read(object sender, DataReceivedEventArgs line)
        {
            if (line.Data is not null)
            {
                onLine(line.Data);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        Array.ForEach(_signals, signal => signal.Dispose());
        End();
        await _leader.WaitForExitAsync();
        _leader.Dispose();
    }

    private void End()
    {
        // First those that are known by their parents: the group does not exist yet in the moment of the start.
        _leader.Kill(entireProcessTree: true);
        if (OperatingSystem.IsLinux())
        {
            using var kill = Process.Start("kill", ["-KILL", "--", string.Create(CultureInfo.InvariantCulture, $"-{_leader.Id}")]);
            kill.WaitForExit();
        }
    }
}
