namespace ResilientHosting.Tests.Documentation;

internal static class Findings
{
    /// <summary>Fails with all that was found, each on a line of its own.</summary>
    public static void AssertNone(IEnumerable<object> findings)
    {
        var all = findings.Select(finding => finding.ToString()).ToList();
        Assert.True(all.Count == 0, $"{all.Count} found:\n{string.Join('\n', all)}");
    }
}
