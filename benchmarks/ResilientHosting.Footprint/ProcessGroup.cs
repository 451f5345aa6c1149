using System.Globalization;

namespace ResilientHosting.Footprint;

/// <summary>All processes that an application consists of: the one that was started, and what it has started.</summary>
/// <param name="Processes">How many there are.</param>
/// <param name="ResidentMegabytes">Their memory together. Pages that two of them share count twice.</param>
internal sealed record ProcessGroup(int Processes, double ResidentMegabytes)
{
    private const int GroupField = 2;

    public static ProcessGroup Read(int leader)
    {
        var processes = 0;
        var kilobytes = 0L;
        foreach (var folder in Directory.EnumerateDirectories("/proc").Where(folder => char.IsAsciiDigit(Path.GetFileName(folder)[0])))
        {
            try
            {
                // The name, in brackets, may hold blanks.
                var fields = File.ReadAllText(folder + "/stat").Split(')')[^1].Split(' ', StringSplitOptions.RemoveEmptyEntries);
                if (int.Parse(fields[GroupField], CultureInfo.InvariantCulture) == leader)
                {
                    processes++;
                    kilobytes += ResidentKilobytes(folder);
                }
            }
            catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
            {
                // A process that ended meanwhile has no memory.
            }
        }

        return new ProcessGroup(processes, kilobytes / 1024d);
    }

    private static long ResidentKilobytes(string folder) =>
        File.ReadLines(folder + "/status").FirstOrDefault(line => line.StartsWith("VmRSS:", StringComparison.Ordinal)) is { } line
            ? long.Parse(line.AsSpan("VmRSS:".Length).Trim().TrimEnd("kB").Trim(), CultureInfo.InvariantCulture)
            : 0;
}
