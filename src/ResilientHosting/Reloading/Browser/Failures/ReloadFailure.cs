namespace ResilientHosting.Reloading;

/// <summary>Why an edit is not being served, or why nothing is: all that is shown of it, bounded in size and fit to be shown.</summary>
/// <param name="Title">What has failed, in a sentence.</param>
/// <param name="Diagnostics">The compiler's errors.</param>
/// <param name="MoreDiagnostics">How many further errors there are.</param>
/// <param name="Exception">What the application threw, if it did.</param>
internal sealed record ReloadFailure(string Title, IReadOnlyList<FailureDiagnostic> Diagnostics, int MoreDiagnostics, ThrownException? Exception)
{
    private const int LongestHeader = 300;

    /// <summary>The first thing to look at, in a line or a few.</summary>
    public string Summary =>
        Diagnostics is [var first, ..] ? first.ToString()
        : Exception is null ? Title
        : $"{Exception.Type}: {Exception.Message}";

    /// <summary>What fits into a header: the title, and the first thing to look at.</summary>
    public string ToHeaderValue()
    {
        var text = Summary == Title ? Title : $"{Title} {Summary}";
        return string.Concat(text.Take(LongestHeader).Select(letter => letter is >= ' ' and <= '~' ? letter : letter is '\n' or '\t' ? ' ' : '?'));
    }
}

/// <summary>An error of the compiler.</summary>
/// <param name="Id">Its code, such as <c>CS1002</c>.</param>
/// <param name="Message">What it says.</param>
/// <param name="Project">The project's name, where there is more than one.</param>
/// <param name="Place">Where it is, if anywhere.</param>
internal sealed record FailureDiagnostic(string Id, string Message, string? Project, CodePlace? Place)
{
    public override string ToString() =>
        Place is null ? $"error {Id}: {Message}"
        : Place.Line == 0 ? $"{Place.File}: error {Id}: {Message}"
        : FormattableString.Invariant($"{Place.File}({Place.Line},{Place.Column}): error {Id}: {Message}");
}
