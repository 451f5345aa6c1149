using ResilientHosting.Benchmarks.Reporting;

namespace ResilientHosting.Benchmarks.DevServers;

/// <summary>A copy of the sample.</summary>
internal static class SampleSolution
{
    /// <summary>The text that is edited.</summary>
    public const string Greeting = "Welcome to the order desk.";

    private static readonly string[] Settings = ["Directory.Build.props", "Directory.Packages.props"];

    public static async Task<Solution> CreateAsync(Workshop workshop)
    {
        var folder = workshop.CreateFolder("sample");
        foreach (var file in Settings)
        {
            File.Copy(Path.Combine(Results.Repository, file), Path.Combine(folder, file), overwrite: true);
        }

        var (from, to) = (Path.Combine(Results.Repository, "samples", "MinimalApi"), Path.Combine(folder, "MinimalApi"));
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories).Where(file => IsSource(Path.GetRelativePath(from, file))))
        {
            var copy = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        var project = Path.Combine(to, "MinimalApi.csproj");
        File.WriteAllText(project, File.ReadAllText(project).Replace(
            """<ProjectReference Include="../../src/ResilientHosting/ResilientHosting.csproj" />""", Workshop.Reference, StringComparison.Ordinal));
        await Workshop.DotnetAsync(to, "build", "-nologo", "-v:q");
        return new Solution("the sample", to, "/greeting", [Edit.Replacing("Program.cs", Path.Combine(to, "Program.cs"), Greeting)]);
    }

    private static bool IsSource(string path) => path.Split(Path.DirectorySeparatorChar)[0] is not ("bin" or "obj" or "App_Data");
}
