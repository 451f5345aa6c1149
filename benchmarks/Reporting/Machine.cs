using System.Diagnostics;
using System.Runtime.InteropServices;

namespace ResilientHosting.Benchmarks.Reporting;

/// <summary>Where something was measured.</summary>
/// <param name="System">The distribution or the operating system's name.</param>
/// <param name="Kernel">Its kernel.</param>
/// <param name="Processor">The model of the processor.</param>
/// <param name="Cores">How many logical processors the benchmarks may use.</param>
/// <param name="MemoryGigabytes">How much memory there is.</param>
/// <param name="Sdk">The version of the .NET SDK.</param>
/// <param name="Runtime">The version of the .NET runtime.</param>
/// <param name="Commit">The commit that was measured.</param>
internal sealed record Machine(
    string System, string Kernel, string Processor, int Cores, int MemoryGigabytes, string Sdk, string Runtime, string Commit)
{
    private const double Gigabyte = 1L << 30;

    public static Machine Current { get; } = new(
        Field("/etc/os-release", "PRETTY_NAME", '=')?.Trim('"') ?? RuntimeInformation.OSDescription,
        $"{(OperatingSystem.IsLinux() ? "Linux" : Environment.OSVersion.Platform)} {Environment.OSVersion.Version.ToString(3)}",
        Field("/proc/cpuinfo", "model name", ':') ?? $"{RuntimeInformation.ProcessArchitecture}",
        Environment.ProcessorCount,
        (int)Math.Round(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / Gigabyte),
        Ask("dotnet", "--version"),
        Environment.Version.ToString(),
        Ask("git", "rev-parse", "--short", "HEAD"));

    public override string ToString() =>
        $"{System}, {Kernel}, {Cores} cores ({Processor}), {MemoryGigabytes} GB, .NET SDK {Sdk}, runtime {Runtime}";

    private static string? Field(string file, string name, char separator) => !File.Exists(file)
        ? null
        : File.ReadLines(file).FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))?.Split(separator, 2)[1].Trim();

    private static string Ask(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            WorkingDirectory = Results.Repository,
        })!;
        var answer = process.StandardOutput.ReadToEnd().Trim();
        process.WaitForExit();
        return process.ExitCode == 0 ? answer : "unknown";
    }
}
