using System.Reflection;

namespace ResilientHosting.Reloading;

/// <summary>Names types and methods as their source does, whatever the compiler has made of them.</summary>
internal static class CodeNames
{
    /// <summary>The name of a type without its namespace. A closure is named after its class, an async method's state machine after the method.</summary>
    public static string Of(Type type)
    {
        if (type.HasElementType)
        {
            return Of(type.GetElementType()!) + "[]";
        }

        // What runs an async method is a generic class over the structure that the compiler has made of the method.
        if (Array.Find(type.GenericTypeArguments, argument => Read(argument.Name).Kind == 'd') is { DeclaringType: not null } method)
        {
            return Of(method);
        }

        var outer = type.DeclaringType is { } declaring && !type.IsGenericParameter ? Of(declaring) : null;
        var (name, kind) = Read(type.Name);
        if (outer is not null && kind is 'c' or 'd')
        {
            return kind == 'd' ? $"{outer}.{name}" : outer!;
        }

        var tick = type.Name.IndexOf('`', StringComparison.Ordinal);
        var plain = tick < 0 ? type.Name : $"{type.Name[..tick]}<{string.Join(", ", type.GetGenericArguments().Select(Of))}>";
        return outer is null ? plain : $"{outer}.{plain}";
    }

    /// <summary>The name of a method with its type. A lambda is named after the method that it stands in.</summary>
    public static string Of(MethodBase method)
    {
        var owner = method.DeclaringType is { } type ? Of(type) + "." : "";
        var (name, kind) = Read(method.Name);
        return kind switch
        {
            'b' => $"a lambda in {owner}{name}",
            'g' => $"{method.Name[(method.Name.IndexOf("g__", StringComparison.Ordinal) + 3)..].Split('|')[0]} in {owner}{name}",
            _ when method.Name == "MoveNext" && Read(method.DeclaringType?.Name ?? "").Kind == 'd' => owner.TrimEnd('.'),
            _ => owner + method.Name,
        };
    }

    /// <summary>Takes apart what the compiler has named: <c>&lt;Where&gt;kind…</c>, in which "where" may itself be such a name.</summary>
    private static (string Name, char Kind) Read(string name)
    {
        if (name is not ['<', ..])
        {
            return (name, ' ');
        }

        var depth = 0;
        for (var i = 0; i < name.Length - 1; i++)
        {
            depth += name[i] switch { '<' => 1, '>' => -1, _ => 0 };
            if (depth == 0)
            {
                return (name[1..i], name[i + 1]);
            }
        }

        return (name, ' ');
    }
}
