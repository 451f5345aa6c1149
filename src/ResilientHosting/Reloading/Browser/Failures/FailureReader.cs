namespace ResilientHosting.Reloading;

/// <summary>Takes down what there is to show of a failure, at once: the code changes, and exceptions must not be kept.</summary>
internal sealed class FailureReader(Func<SourceTree> sources, Func<DevReloaderOptions> options)
{
    private const int MostDiagnostics = 50;
    private const int LongestMessage = 2_000;
    private const int LongestName = 100;

    /// <param name="title">What has failed.</param>
    /// <param name="errors">What the compiler says.</param>
    /// <param name="thrown">What has stopped the application before, if nothing serves.</param>
    public ReloadFailure Read(string title, IReadOnlyList<BuildDiagnostic> errors, ThrownException? thrown = null)
    {
        var places = Places();
        return new ReloadFailure(
            title,
            [.. errors.Take(MostDiagnostics).Select(error => new FailureDiagnostic(
                PlainText.Of(error.Id, LongestName),
                PlainText.Of(error.Message, LongestMessage),
                error.Project is null ? null : PlainText.Of(Path.GetFileNameWithoutExtension(error.Project), LongestName),
                error.Path.Length == 0 ? null : places.Find(error.Path, error.Line, error.Column)))],
            Math.Max(0, errors.Count - MostDiagnostics),
            thrown);
    }

    public ReloadFailure Read(string title, Exception exception) =>
        new(title, [], 0, ThrownException.Read(exception, Places()));

    private CodePlaces Places() => new(sources(), options().Editor);
}
