namespace ResilientHosting.Resources;

/// <summary>How logs, metrics and exceptions call a resource: <c>SqliteConnection</c>, or <c>FakeClient 'search'</c> with a name.</summary>
internal static class ResourceName
{
    public static string Of<T>(string? name) => name is null ? Of(typeof(T)) : $"{Of(typeof(T))} '{name}'";

    public static string Of(Type type)
    {
        if (!type.IsGenericType)
        {
            return type.Name;
        }

        var tick = type.Name.IndexOf('`', StringComparison.Ordinal);
        var bare = tick < 0 ? type.Name : type.Name[..tick];
        return $"{bare}<{string.Join(", ", type.GetGenericArguments().Select(Of))}>";
    }
}
