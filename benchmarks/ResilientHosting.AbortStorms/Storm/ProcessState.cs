using System.Diagnostics;
using System.Globalization;

namespace ResilientHosting.AbortStorms;

/// <summary>What this process holds when nobody is connected.</summary>
internal sealed record ProcessState(long Memory, int Handles, int? Sockets, long Timers)
{
    private const string TimeWait = "06";
    private const string Listening = "0A";

    public static ProcessState Take(int port)
    {
        // Twice: what is finalized is freed by the second collection.
        GC.GetTotalMemory(forceFullCollection: true);
        GC.WaitForPendingFinalizers();
        GC.GetTotalMemory(forceFullCollection: true);
        var heap = GC.GetGCMemoryInfo(GCKind.FullBlocking);
        using var process = Process.GetCurrentProcess();
        return new ProcessState(heap.HeapSizeBytes - heap.FragmentedBytes, process.HandleCount, CountSockets(port), Timer.ActiveCount);
    }

    /// <summary>The server's connections as the kernel sees them. In TIME_WAIT they are the kernel's alone.</summary>
    private static int? CountSockets(int port)
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        var local = string.Create(CultureInfo.InvariantCulture, $":{port:X4}");
        return File.ReadLines("/proc/net/tcp").Skip(1)
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Count(fields => fields[1].EndsWith(local, StringComparison.Ordinal) && fields[3] is not (TimeWait or Listening));
    }
}
