namespace ResilientHosting.Reloading;

/// <summary>What a change asks for, from the least to the most. Of several changes the strongest decides.</summary>
internal enum ChangeClass
{
    /// <summary>The application sees it by itself, or it concerns something else.</summary>
    Nothing,

    /// <summary>The application reads it when it starts.</summary>
    Restart,

    /// <summary>The compiler in this process reads it.</summary>
    Compile,

    /// <summary>It changes how the compiler works, so the compiler is opened anew.</summary>
    Reconfigure,

    /// <summary>Only the SDK's build knows what it leads to.</summary>
    Build,
}

/// <summary>What a set of changes asks for as a whole.</summary>
/// <param name="Class">The strongest of the classes.</param>
/// <param name="NeedsRestore">Whether packages or references between projects may differ.</param>
/// <param name="Remarks">What there is to tell the developer, a line for each file whose change isn't simply compiled.</param>
internal sealed record Reaction(ChangeClass Class, bool NeedsRestore, IReadOnlyList<string> Remarks);

/// <summary>Decides for each changed file what it asks for.</summary>
/// <param name="graph">The projects; null while MSBuild can't tell.</param>
/// <param name="compiledHere">The projects that the compiler in this process compiles.</param>
/// <param name="readsAgain">Whether the application that runs reads a configuration file again by itself.</param>
internal sealed class ChangeClassifier(
    ProjectGraph? graph, IReadOnlyCollection<ProjectSources> compiledHere, Func<string, bool> readsAgain)
{
    public Reaction Classify(ChangeSet changes, string projectDirectory, string serving)
    {
        var strongest = changes.RequestedBecause is null ? ChangeClass.Nothing : ChangeClass.Restart;
        var needsRestore = false;
        var remarks = new List<string>();
        foreach (var (path, _) in changes.Changes)
        {
            var change = Classify(path);
            strongest = change > strongest ? change : strongest;
            needsRestore |= change == ChangeClass.Build && InputFile.KindOf(path) == InputKind.BuildFile;
            if (Remark(path, change, serving) is { } remark)
            {
                remarks.Add(ChangeSet.NameOf(path, projectDirectory) + remark);
            }
        }

        return new Reaction(strongest, needsRestore, remarks);
    }

    public ChangeClass Classify(string path) => InputFile.KindOf(path) switch
    {
        InputKind.Configuration => readsAgain(path) ? ChangeClass.Nothing : ChangeClass.Restart,
        InputKind.LaunchSettings => ChangeClass.Nothing,
        InputKind.AnalyzerConfig => graph is null ? ChangeClass.Build : ChangeClass.Reconfigure,
        InputKind.BuildFile or InputKind.BuildInput => ChangeClass.Build,
        _ => compiledHere.Any(project => project.Owns(path)) && !IsReadByTheBuild(path) ? ChangeClass.Compile : ChangeClass.Build,
    };

    /// <summary>A generator, or a project in another language, may read what this process compiles as well.</summary>
    private bool IsReadByTheBuild(string path) =>
        graph?.Projects.Any(project => project.BuildInputs.Contains(path) || (project.CommandLine is null && project.Sources.Contains(path))) == true;

    private static string? Remark(string path, ChangeClass change, string serving) => change switch
    {
        ChangeClass.Nothing when InputFile.KindOf(path) == InputKind.LaunchSettings => " is read by dotnet run alone; restart it to apply the change",
        ChangeClass.Nothing => " reloads itself, nothing to do",
        ChangeClass.Restart => " is read at the start alone, so the application starts again",
        ChangeClass.Reconfigure => $": the compiler starts over with it, {serving} serves meanwhile",
        ChangeClass.Build => $": needs a real build, {serving} serves meanwhile",
        _ => null,
    };
}
