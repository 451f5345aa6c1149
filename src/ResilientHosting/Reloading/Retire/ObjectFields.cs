using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace ResilientHosting.Reloading;

/// <summary>What objects refer to, field by field. No code of theirs runs: neither getters nor enumerators.</summary>
[RequiresUnreferencedCode("Reads the fields of all objects.")]
internal sealed class ObjectFields
{
    private const BindingFlags Declared = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    private readonly Dictionary<Type, FieldInfo[]> _fields = [];
    private readonly Dictionary<Type, bool> _refer = [];

    /// <summary>The fields of an object that may lead to others, those of its base types included.</summary>
    public FieldInfo[] Of(Type type)
    {
        if (!_fields.TryGetValue(type, out var fields))
        {
            fields = [.. Hierarchy(type).SelectMany(level => level.GetFields(Declared)).Where(field => MayRefer(field.FieldType))];
            _fields.Add(type, fields);
        }

        return fields;
    }

    /// <summary>What the fields of an object hold; the values of structures are boxed.</summary>
    public IEnumerable<object> ValuesOf(object value) =>
        Of(value.GetType()).Select(field => field.GetValue(value)).OfType<object>();

    /// <summary>Whether a variable of this type can lead to an object that is of interest.</summary>
    public bool MayRefer(Type type)
    {
        if (type.IsPrimitive || type.IsEnum || type.IsPointer || type.IsFunctionPointer || type.IsByRefLike || type == typeof(string))
        {
            return false;
        }

        if (type.IsArray)
        {
            return MayRefer(type.GetElementType()!);
        }

        if (!type.IsValueType)
        {
            return true;
        }

        if (!_refer.TryGetValue(type, out var refers))
        {
            refers = type.GetFields(Declared).Any(field => MayRefer(field.FieldType));
            _refer.Add(type, refers);
        }

        return refers;
    }

    private static IEnumerable<Type> Hierarchy(Type type)
    {
        for (var level = type; level is not null; level = level.BaseType)
        {
            yield return level;
        }
    }
}
