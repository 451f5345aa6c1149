using System.Reflection;
using Microsoft.Extensions.Options;
using ResilientHosting.Aborts;
using ResilientHosting.Reloading;
using ResilientHosting.Resources;

namespace ResilientHosting.Tests.Documentation;

/// <summary>A row of a table of options, <c>| `Name` | default | range | … |</c>, and the property it speaks of.</summary>
internal sealed record DocumentedOption(string Place, Type Type, string Path, string Default, string Range)
{
    /// <summary>The pages with such a table, below the heading that names what it is about.</summary>
    public static IReadOnlyList<(string Page, string Section, Type Type)> Tables { get; } =
    [
        ("docs/resources.md", "Defaults of a request", typeof(RequestResourceOptions)),
        ("docs/resources.md", "Defaults of a pool", typeof(ResourcePoolOptions<object>)),
        ("docs/client-aborts.md", "Defaults", typeof(ClientAbortOptions)),
        ("docs/dev-reloader.md", "Defaults", typeof(DevReloaderOptions)),
    ];

    /// <summary>Every row of the tables.</summary>
    public static IReadOnlyList<DocumentedOption> All { get; } =
    [
        .. from table in Tables
           let page = MarkdownPage.Load(table.Page)
           from row in page.Rows
           where row.Section == table.Section && row.Cells[0].StartsWith('`')
           select new DocumentedOption($"{page}({row.Line})", table.Type, row.Cells[0].Trim('`'), row.Cells[1], row.Cells[2]),
    ];

    public string FullName => $"{Type.Name.Split('`')[0]}.{Path}";

    /// <summary>The options a user can set, those of nested objects with their path.</summary>
    public static IEnumerable<string> PathsOf(Type type) =>
        from property in type.GetProperties(BindingFlags.Instance | BindingFlags.Public)
        from path in property.PropertyType == typeof(AdoptionOptions)
            ? PathsOf(property.PropertyType).Select(below => $"{property.Name}.{below}")
            : [property.Name]
        select path;

    public Type ValueType => PropertyOn(Activator.CreateInstance(Type)!, Path).Property.PropertyType;

    public object? RealDefault => ValueOf(Path);

    /// <summary>Gets the default of another option of the same table.</summary>
    public object? ValueOf(string path)
    {
        var (owner, property) = PropertyOn(Activator.CreateInstance(Type)!, path);
        return property.GetValue(owner);
    }

    /// <returns>What the validator says of options that have their defaults but for this one.</returns>
    public IReadOnlyList<string> Validate(object value)
    {
        var options = Activator.CreateInstance(Type)!;
        var (owner, property) = PropertyOn(options, Path);
        property.SetValue(owner, value);
        var result = options switch
        {
            RequestResourceOptions of => new RequestResourceOptionsValidator().Validate("", of),
            ResourcePoolOptions<object> of => new ResourcePoolOptionsValidator<object>(pool: null).Validate(Options.DefaultName, of),
            ClientAbortOptions of => new ClientAbortOptionsValidator().Validate("", of),
            DevReloaderOptions of => new DevReloaderOptionsValidator().Validate("", of),
            _ => throw new NotSupportedException($"Say what validates {Type}."),
        };
        return [.. result.Failures ?? []];
    }

    private (object Owner, PropertyInfo Property) PropertyOn(object options, string path)
    {
        var owner = options;
        var names = path.Split('.');
        foreach (var name in names[..^1])
        {
            owner = Find(owner, name).GetValue(owner)!;
        }

        return (owner, Find(owner, names[^1]));
    }

    private PropertyInfo Find(object owner, string name) =>
        owner.GetType().GetProperty(name) ?? throw new MissingMemberException($"{Place}: {owner.GetType().Name} has no {name}.");
}
