using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.Loader;

namespace ResilientHosting.Reloading;

/// <summary>
/// Tells which of some retired generations an object belongs to: by its type, by the code it describes or calls. Holds those
/// generations in memory for as long as it lives itself, which is one search.
/// </summary>
[RequiresUnreferencedCode("Looks at the types of all objects.")]
internal sealed class RetiredObjects
{
    private static readonly Type[] Reflection = [typeof(MemberInfo), typeof(ParameterInfo), typeof(Assembly), typeof(Module)];

    private readonly Dictionary<AssemblyLoadContext, int> _contexts = [];
    private readonly Dictionary<object, int> _allocators = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<Type, Kind> _kinds = [];

    public RetiredObjects(IEnumerable<RetiredGeneration> generations)
    {
        // What the runtime itself refers to instead of the context: each type of the generation leads to it.
        var keepAlive = typeof(object).GetType().GetField("m_keepalive", BindingFlags.Instance | BindingFlags.NonPublic);
        foreach (var generation in generations)
        {
            if (generation.Context is { } context)
            {
                _contexts[context] = generation.Number;
                if (context.Assemblies.SelectMany(StaticFields.TypesOf).FirstOrDefault() is { } type && keepAlive?.GetValue(type) is { } allocator)
                {
                    _allocators[allocator] = generation.Number;
                }
            }
        }
    }

    public bool IsEmpty => _contexts.Count == 0;

    public IEnumerable<(int Generation, Assembly Assembly)> Assemblies =>
        _contexts.SelectMany(context => context.Key.Assemblies.Select(assembly => (context.Value, assembly)));

    /// <summary>The number of the generation; null if it belongs to none of them.</summary>
    public int? OwnerOf(object value)
    {
        var kind = KindOf(value.GetType());
        return kind.Owner is null && kind.SpeaksOfCode ? OwnerOfCode(value) : kind.Owner;
    }

    /// <summary>Whether a key of a dictionary names a type of a retired generation: by itself, or in one of its fields.</summary>
    public bool IsKey(object key, ObjectFields fields) =>
        OwnerOf(key) is not null || (key is not (string or Delegate) && fields.ValuesOf(key).Any(part => OwnerOf(part) is not null));

    private int? OwnerOf(AssemblyLoadContext context) => _contexts.TryGetValue(context, out var number) ? number : null;

    private int? OwnerOf(Assembly assembly) =>
        assembly.IsCollectible && AssemblyLoadContext.GetLoadContext(assembly) is { } context ? OwnerOf(context) : null;

    private int? OwnerOf(Type type) => KindOf(type).Owner;

    private int? OwnerOfCode(object value) => value switch
    {
        Type described => OwnerOf(described),
        MemberInfo member => OwnerOf(member.Module.Assembly),
        ParameterInfo parameter => OwnerOf(parameter.Member.Module.Assembly),
        Assembly assembly => OwnerOf(assembly),
        Module module => OwnerOf(module.Assembly),
        Delegate { Target: null } method => OwnerOf(method.Method.Module.Assembly),
        _ => _allocators.TryGetValue(value, out var number) ? number : null,
    };

    private Kind KindOf(Type type)
    {
        if (!_kinds.TryGetValue(type, out var kind))
        {
            // Only the runtime's own classes are asked what they describe: an application's would run its code.
            var speaks = type.IsAssignableTo(typeof(Delegate))
                || (type.Assembly == typeof(object).Assembly
                    && (Array.Exists(Reflection, type.IsAssignableTo) || type.FullName == "System.Reflection.LoaderAllocator"));
            kind = new Kind(FindOwner(type), speaks);
            _kinds.Add(type, kind);
        }

        return kind;
    }

    private int? FindOwner(Type type) =>
        !type.IsCollectible ? null
        : type.HasElementType ? OwnerOf(type.GetElementType()!)
        : OwnerOf(type.Assembly) ?? type.GenericTypeArguments.Select(OwnerOf).FirstOrDefault(number => number is not null);

    /// <summary>What the objects of a type are.</summary>
    /// <param name="Owner">The generation that the type belongs to.</param>
    /// <param name="SpeaksOfCode">Whether each of them may stand for code of a generation.</param>
    private readonly record struct Kind(int? Owner, bool SpeaksOfCode);
}
