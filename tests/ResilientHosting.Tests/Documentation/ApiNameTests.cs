using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using ResilientHosting.Aborts;
using ResilientHosting.Reloading;

namespace ResilientHosting.Tests.Documentation;

/// <summary>The pages name everything that is public, and nothing that isn't there.</summary>
public sealed partial class ApiNameTests
{
    private static readonly Assembly Library = typeof(ClientAbortOptions).Assembly;

    [Fact]
    public void Member_NamedByAnyPage_Exists()
    {
        var types = Library.GetExportedTypes().ToLookup(type => type.Name.Split('`')[0]);

        Findings.AssertNone(
            from page in MarkdownPage.All()
            from name in Member().Matches(page.Text)
            let type = name.Groups["type"].Value
            where types.Contains(type) && types[type].All(candidate => !HasMember(candidate, name.Groups["member"].Value))
            select $"{page}: {name.Value}");
    }

    [Fact]
    public void PublicName_OfTheLibrary_IsOnAPage()
    {
        var words = MarkdownPage.All()
            .Where(page => page.Name.StartsWith("docs/", StringComparison.Ordinal))
            .SelectMany(page => Word().Matches(page.Text))
            .Select(word => word.Value)
            .ToHashSet(StringComparer.Ordinal);
        var names =
            from type in Library.GetExportedTypes()
            from name in MembersOf(type).Append(IsExtensions(type) ? null : NameInText(type))
            where name is not null && !words.Contains(name)
            select $"{type.Name}: {name}";

        Findings.AssertNone(names.Distinct());
    }

    [Fact]
    public void Header_NamedByAnyPage_IsOneOfTheReloaders()
    {
        var headers = typeof(DevReloaderHeaders).GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
            .Select(header => (string)header.GetRawConstantValue()!);

        Assert.Equal(
            headers.Order(),
            MarkdownPage.All().SelectMany(page => Header().Matches(page.Text)).Select(header => header.Value).Distinct().Order());
    }

    private static bool HasMember(Type type, string member) => type.GetInterfaces().Append(type).Any(declaring =>
        declaring.GetMember(member, BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static).Length > 0);

    private static bool IsExtensions(Type type) => type is { IsAbstract: true, IsSealed: true };

    private static string NameInText(Type type) =>
        typeof(Attribute).IsAssignableFrom(type) ? type.Name[..^nameof(Attribute).Length] : type.Name.Split('`')[0];

    // What C# or a base class declares (Equals, ToString and the like) and constructors need no words.
    private static IEnumerable<string> MembersOf(Type type) => type
        .GetMembers(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly)
        .Where(member => member is PropertyInfo or FieldInfo { IsSpecialName: false }
            || (member is MethodInfo { IsSpecialName: false } method && method.GetBaseDefinition() == method))
        .Where(member => !member.IsDefined(typeof(CompilerGeneratedAttribute)))
        .Select(member => member.Name);

    [GeneratedRegex(@"(?<=[`(\s])(?<type>[A-Z]\w+)(?:<\w+>)?\.(?<member>[A-Z]\w+)")]
    private static partial Regex Member();

    [GeneratedRegex(@"\w+")]
    private static partial Regex Word();

    [GeneratedRegex(@"\bX-Dev-\w+")]
    private static partial Regex Header();
}
