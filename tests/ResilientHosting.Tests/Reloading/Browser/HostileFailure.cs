using System.Text;
using ResilientHosting.Reloading;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

/// <summary>Failures in which every text is hostile.</summary>
internal static class HostileFailure
{
    private static readonly string[] OwnElements =
    [
        "a", "body", "button", "details", "dialog", "div", "h1", "h2", "head", "header", "html", "li", "main", "mark", "meta", "noscript", "ol", "p", "pre",
        "script", "section", "span", "style", "summary", "title",
    ];

    public static ReloadFailure Next(Random random, TemporaryFolder folder)
    {
        var source = folder.Write("\"><img src=x onerror=window.broken=1>/Pro'gram.cs", "");
        File.WriteAllBytes(source, Encoding.UTF8.GetBytes(string.Join('\n', Enumerable.Range(0, 9).Select(_ => HostileText.Next(random, 30)))));
        var reader = SomeFailure.ReaderOf(folder.Path);
        var errors = Enumerable.Range(0, random.Next(1, 4)).Select(index => new BuildDiagnostic(
            HostileText.Next(random, 3),
            true,
            random.Next(2) == 0 ? source : HostileText.Next(random, 10),
            random.Next(12),
            random.Next(200),
            index == 1 ? HostileText.Huge(random) : HostileText.Next(random, 60))
        {
            Project = HostileText.Next(random, 5),
        });
        var exception = new FakeException(
            HostileText.Next(random, 60),
            $"   at {HostileText.Next(random, 5).ReplaceLineEndings("")}(String a) in {source}:line 3\n{HostileText.Next(random, 60)}",
            new FakeException(HostileText.Next(random, 20), null));
        return reader.Read(HostileText.Next(random, 10), [.. errors]) with { Exception = reader.Read("", exception).Exception };
    }

    /// <summary>Whether a page consists of elements that we make: none was made of a text.</summary>
    public static bool IsOurs(string elements) => elements.Split(',').All(OwnElements.Contains);
}
