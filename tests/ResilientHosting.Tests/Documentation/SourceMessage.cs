using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Documentation;

/// <summary>
/// A text in the sources that somebody may read: every string, wherever it stands, but for what is logged below
/// Warning and for other attributes. A sentence made of several strings is one text; what is put into it at run time is a gap.
/// </summary>
internal sealed partial record SourceMessage(string File, int Line, string Text)
{
    private static readonly string[] LevelsForUsers = ["LogLevel.Warning", "LogLevel.Error", "LogLevel.Critical"];

    public static IEnumerable<SourceMessage> All()
    {
        var root = Repository.PathOf("src");
        return Directory.EnumerateFiles(root, "*.cs", SearchOption.AllDirectories)
            .Select(path => (Path: path, Name: System.IO.Path.GetRelativePath(root, path).Replace('\\', '/')))
            .Where(file => !file.Name.Contains("/obj/", StringComparison.Ordinal) && !file.Name.Contains("/bin/", StringComparison.Ordinal))
            .OrderBy(file => file.Name, StringComparer.Ordinal)
            .SelectMany(file => Find(file.Name, System.IO.File.ReadAllText(file.Path)));
    }

    public static IEnumerable<SourceMessage> Find(string file, string source)
    {
        var options = CSharpParseOptions.Default.WithLanguageVersion(LanguageVersion.Preview);
        return from text in CSharpSyntaxTree.ParseText(source, options).GetRoot().DescendantNodes().OfType<ExpressionSyntax>()
               where IsText(text) && !(text.Parent is ExpressionSyntax parent && IsText(parent)) && IsForUsers(text)
               let normal = Normalize(Read(text))
               select new SourceMessage(file, text.GetLocation().GetLineSpan().StartLinePosition.Line + 1, normal);
    }

    /// <summary>Makes a text comparable: every gap is {}, whatever is named in it, and space around it doesn't count.</summary>
    public static string Normalize(string text) => Space().Replace(Gap().Replace(text, "{}"), " ").Trim();

    /// <summary>Tells sentences, and what is said as part of one, from names and formats.</summary>
    public bool IsProse => Word().Count(Text.Replace("{}", " ", StringComparison.Ordinal)) >= 3;

    public override string ToString() => $"src/{File}({Line}): {Text}";

    private static bool IsForUsers(ExpressionSyntax text) => text.FirstAncestorOrSelf<AttributeSyntax>() is not { } attribute
        || (attribute.Name.ToString() == "LoggerMessage" && LevelsForUsers.Any(level => attribute.ToString().Contains(level, StringComparison.Ordinal)));

    private static bool IsText(ExpressionSyntax expression) => expression switch
    {
        LiteralExpressionSyntax literal => literal.Kind() is SyntaxKind.StringLiteralExpression or SyntaxKind.Utf8StringLiteralExpression,
        InterpolatedStringExpressionSyntax => true,
        ParenthesizedExpressionSyntax inner => IsText(inner.Expression),
        BinaryExpressionSyntax sum when sum.IsKind(SyntaxKind.AddExpression) => IsText(sum.Left) || IsText(sum.Right),
        _ => false,
    };

    private static string Read(ExpressionSyntax text) => text switch
    {
        LiteralExpressionSyntax literal => literal.Token.ValueText,
        InterpolatedStringExpressionSyntax interpolated => string.Concat(interpolated.Contents.Select(Read)),
        ParenthesizedExpressionSyntax inner => Read(inner.Expression),
        BinaryExpressionSyntax sum => Read(sum.Left) + Read(sum.Right),
        InvocationExpressionSyntax { Expression: IdentifierNameSyntax { Identifier.Text: "nameof" } } name =>
            name.ArgumentList.Arguments[0].ToString().Split('.')[^1],
        _ => "{}",
    };

    private static string Read(InterpolatedStringContentSyntax content) => content switch
    {
        InterpolatedStringTextSyntax text => text.TextToken.ValueText,
        InterpolationSyntax { Expression: var value } => value is InvocationExpressionSyntax ? Read(value) : "{}",
        _ => "{}",
    };

    [GeneratedRegex(@"\s*(\{[^{}]*\}\s*)+")]
    private static partial Regex Gap();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();

    [GeneratedRegex(@"(?<=^|\s)[^\s\p{L}]*\p{L}\S*")]
    private static partial Regex Word();
}
