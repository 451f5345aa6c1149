using ResilientHosting.Reloading;

namespace ResilientHosting.Tests.Reloading;

/// <summary>Failures as the reloader takes them down, without a reloader.</summary>
internal static class SomeFailure
{
    public static ReloadFailure Of(string title, params IReadOnlyList<BuildDiagnostic> errors) => ReaderOf("/shop").Read(title, errors);

    public static ReloadFailure Of(string title, Exception exception) => ReaderOf("/shop").Read(title, exception);

    /// <summary>Takes down failures of a project in the given folder.</summary>
    public static FailureReader ReaderOf(string projectDirectory, string? editor = "vscode")
    {
        var sources = new SourceTree(projectDirectory);
        var options = new DevReloaderOptions { Editor = editor };
        return new FailureReader(() => sources, () => options);
    }
}
