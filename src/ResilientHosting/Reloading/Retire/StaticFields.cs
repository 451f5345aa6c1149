using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace ResilientHosting.Reloading;

/// <summary>The static fields of classes that have been initialized: what lives as long as the process.</summary>
[RequiresUnreferencedCode("Reads static fields.")]
internal static class StaticFields
{
    private const BindingFlags Declared = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    /// <summary>The fields of an assembly, with what they hold. Those of generic classes are found with <see cref="Of"/>.</summary>
    public static IEnumerable<(FieldInfo Field, object Value)> In(Assembly assembly, ObjectFields fields) =>
        TypesOf(assembly).Where(type => !type.ContainsGenericParameters).SelectMany(type => Of(type, fields));

    /// <summary>The fields of one class, with what they hold.</summary>
    public static IEnumerable<(FieldInfo Field, object Value)> Of(Type type, ObjectFields fields)
    {
        if (!ClassInitialization.HasRun(type))
        {
            yield break;
        }

        foreach (var field in type.GetFields(Declared))
        {
            // A field of each thread would be that of the thread that asks.
            if (!field.IsLiteral
                && fields.MayRefer(field.FieldType)
                && !field.IsDefined(typeof(ThreadStaticAttribute), inherit: false)
                && field.GetValue(null) is { } value)
            {
                yield return (field, value);
            }
        }
    }

    /// <summary>The types of an assembly that can be loaded.</summary>
    public static IEnumerable<Type> TypesOf(Assembly assembly)
    {
        try
        {
            return assembly.GetTypes();
        }
        catch (ReflectionTypeLoadException incomplete)
        {
            // An optional dependency isn't there. What can't be loaded has never run.
            return incomplete.Types.OfType<Type>();
        }
    }
}
