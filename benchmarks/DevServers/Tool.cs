using System.ComponentModel;
using System.Diagnostics;

namespace ResilientHosting.Benchmarks.DevServers;

/// <summary>A program of another platform that a peer needs.</summary>
/// <param name="Name">Its name, with its version where it is installed.</param>
/// <param name="Remedy">How to get it.</param>
/// <param name="IsInstalled">Whether it is there.</param>
internal sealed record Tool(string Name, string Remedy, bool IsInstalled)
{
    /// <summary>The system's own Python, which the system's packages belong to, before any other that the path may lead to.</summary>
    public static string Python { get; } = File.Exists("/usr/bin/python3") ? "/usr/bin/python3" : "python3";

    public static Tool OfPython(string package, string debianPackage) => Find(
        package, $"Debian: apt-get install {debianPackage}", Python, "-c",
        $"import {package}, importlib.metadata as m; print('{package}', m.version('{package}'))");

    public static Tool OfNode(string program, string remedy) => Find(program, remedy, program, "--version");

    private static Tool Find(string name, string remedy, string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments)
            {
                RedirectStandardOutput = true, RedirectStandardError = true,
            })!;
            var answer = process.StandardOutput.ReadToEnd().Trim();
            process.WaitForExit();
            return process.ExitCode == 0
                ? new Tool(answer.StartsWith(name, StringComparison.OrdinalIgnoreCase) ? answer : $"{name} {answer}", remedy, IsInstalled: true)
                : new Tool(name, remedy, IsInstalled: false);
        }
        catch (Win32Exception)
        {
            // There is no such program.
            return new Tool(name, remedy, IsInstalled: false);
        }
    }
}
