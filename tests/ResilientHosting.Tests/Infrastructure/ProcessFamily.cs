using System.Diagnostics;
using System.Globalization;

namespace ResilientHosting.Tests.Infrastructure;

/// <summary>
/// A process and all that it starts, told by a mark in their environment. Seen on Linux only; elsewhere it looks empty. The compile server
/// doesn't belong to it: it outlives the build that starts it on purpose, and serves others.
/// </summary>
internal sealed class ProcessFamily
{
    private const string Variable = "TEST_PROCESS_FAMILY";

    private static readonly TimeSpan DyingTime = TimeSpan.FromSeconds(5);

    private readonly string _mark = Guid.NewGuid().ToString();

    /// <summary>Marks a process that is about to be started.</summary>
    public ProcessFamily(ProcessStartInfo command) => command.Environment[Variable] = _mark;

    public async Task AssertGoneAsync()
    {
        foreach (var (id, commandLine) in Members())
        {
            try
            {
                using var process = Process.GetProcessById(id);
                await process.WaitForExitAsync().WaitAsync(DyingTime);
            }
            catch (ArgumentException)
            {
                // Gone since it was listed.
            }
            catch (TimeoutException)
            {
                Assert.Fail($"Left behind: {commandLine}");
            }
        }
    }

    public void Kill()
    {
        foreach (var (id, _) in Members())
        {
            try
            {
                using var process = Process.GetProcessById(id);
                process.Kill();
            }
            catch (ArgumentException)
            {
                // Gone since it was listed.
            }
        }
    }

    private (int Id, string CommandLine)[] Members()
    {
        if (!OperatingSystem.IsLinux())
        {
            return [];
        }

        return [.. Directory.GetDirectories("/proc")
            .Where(folder => int.TryParse(Path.GetFileName(folder), out _) && Read(folder, "environ").Contains($"{Variable}={_mark}"))
            .Select(folder => (
                Id: int.Parse(Path.GetFileName(folder), CultureInfo.InvariantCulture), CommandLine: string.Join(' ', Read(folder, "cmdline"))))
            .Where(member => !member.CommandLine.Contains("VBCSCompiler", StringComparison.Ordinal))];
    }

    private static string[] Read(string folder, string file)
    {
        try
        {
            return File.ReadAllText(Path.Combine(folder, file)).Split('\0');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Gone since it was listed, or somebody else's.
            return [];
        }
    }
}
