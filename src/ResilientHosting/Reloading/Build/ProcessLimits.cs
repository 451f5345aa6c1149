using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text.Json;

namespace ResilientHosting.Reloading;

/// <summary>What a running process can't take from a build, because it was decided when the process started.</summary>
internal static class ProcessLimits
{
    /// <summary>Compares what the process was started from with what was built.</summary>
    /// <returns>What to do about the difference; null if there is none.</returns>
    public static BuildDiagnostic? Find(Prerequisites prerequisites, string builtAssembly)
    {
        var (running, built) = (ReadFrameworks(prerequisites.AssemblyPath), ReadFrameworks(builtAssembly));
        var what = running != built
            ? $"the application is built for {built}, and this process runs on {running}"
            : IsAnotherLibrary(Path.Combine(Path.GetDirectoryName(builtAssembly)!, typeof(ProcessLimits).Assembly.GetName().Name + ".dll"))
                ? "the application is built with another ResilientHosting than this process has loaded"
                : null;
        return what is null ? null : new BuildDiagnostic(
            "RELOAD1", IsError: true, prerequisites.ProjectPath, 0, 0, what + "; end the process and start it again (Ctrl+C, dotnet run)");
    }

    private static string ReadFrameworks(string assemblyPath)
    {
        var path = Path.ChangeExtension(assemblyPath, ".runtimeconfig.json");
        if (!File.Exists(path))
        {
            return "an unknown framework";
        }

        using var document = JsonDocument.Parse(File.ReadAllBytes(path));
        var options = document.RootElement.GetProperty("runtimeOptions");
        var frameworks = options.TryGetProperty("frameworks", out var several) ? several.EnumerateArray()
            : options.TryGetProperty("framework", out var one) ? [one]
            : Enumerable.Empty<JsonElement>();
        return string.Join(" and ", frameworks.Select(framework =>
            $"{framework.GetProperty("name").GetString()} {framework.GetProperty("version").GetString()}"));
    }

    private static bool IsAnotherLibrary(string path)
    {
        if (!File.Exists(path))
        {
            return false;
        }

        using var image = new PEReader(File.OpenRead(path));
        var metadata = image.GetMetadataReader();
        return metadata.GetGuid(metadata.GetModuleDefinition().Mvid) != typeof(ProcessLimits).Module.ModuleVersionId;
    }
}
