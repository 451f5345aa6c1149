namespace ResilientHosting.Reloading;

/// <summary>Which warnings the developer has seen. A file that is saved shows its own again; untouched files don't repeat theirs.</summary>
internal sealed class ShownWarnings
{
    private readonly HashSet<BuildDiagnostic> _shown = [];

    /// <summary>Selects the warnings to show after a compilation, and takes them for shown.</summary>
    public IReadOnlyList<BuildDiagnostic> Take(IEnumerable<BuildDiagnostic> diagnostics, IReadOnlyCollection<string> changedFiles) =>
        [.. diagnostics.Where(diagnostic =>
            !diagnostic.IsError && (_shown.Add(diagnostic with { Project = null }) | changedFiles.Contains(diagnostic.Path)))];
}
