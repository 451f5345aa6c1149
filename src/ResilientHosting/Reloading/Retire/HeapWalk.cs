using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.Loader;

namespace ResilientHosting.Reloading;

/// <summary>
/// Looks for the shortest ways from some roots to the objects of retired generations, breadth first, through fields and arrays. Bounded
/// in objects and in time.
/// </summary>
/// <remarks>
/// A weak table is followed as the garbage collector does it: a value counts once something else has led to its key. Weak references
/// and native memory are not followed.
/// </remarks>
[RequiresUnreferencedCode("Reads the fields of all objects.")]
internal sealed class HeapWalk(RetiredObjects retired, ObjectFields fields, TimeProvider clock)
{
    private const int MaxObjects = 2_000_000;
    private const int ObjectsBetweenLooksAtTheClock = 4_096;

    // A list of a thousand objects is one cause, but one timer queue may hold several.
    private const int MaxPathsOfARoot = 50;

    private static readonly TimeSpan MaxTime = TimeSpan.FromSeconds(15);

    private readonly List<Node> _nodes = [];
    private readonly HashSet<object> _seen = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<Type> _genericTypes = [];
    private readonly Dictionary<Type, bool> _leadsNowhere = [];
    private readonly List<(object Key, object Value, int Table)> _weak = [];
    private readonly List<int> _hits = [];
    private readonly List<IDictionary> _caches = [];
    private readonly Dictionary<int, int> _pathsOfRoot = [];

    /// <summary>Gets a value indicating whether it ended before everything was looked at.</summary>
    public bool IsIncomplete { get; private set; }

    /// <summary>Gets the concurrent dictionaries that it has met outside retired generations.</summary>
    public IReadOnlyList<IDictionary> Caches => _caches;

    /// <summary>Walks, and returns where it met each object that belongs to a retired generation and wasn't reached through another of it.</summary>
    /// <param name="roots">What to begin with: static fields, and what they hold.</param>
    public IReadOnlyList<HeapPath> Run(IEnumerable<(FieldInfo Root, object Value)> roots)
    {
        var began = clock.GetTimestamp();
        foreach (var (root, value) in roots)
        {
            Meet(value, -1, root);
        }

        for (var next = 0; next < _nodes.Count || MeetWeak(); next++)
        {
            if (_nodes.Count > MaxObjects
                || (next % ObjectsBetweenLooksAtTheClock == 0 && clock.GetElapsedTime(began) > MaxTime))
            {
                IsIncomplete = true;
                break;
            }

            Follow(_nodes[next].Value, next);
        }

        return [.. _hits.Select(PathTo)];
    }

    private void Follow(object value, int from)
    {
        switch (value)
        {
            case object?[] references:
                foreach (var reference in references)
                {
                    Meet(reference, from, HeapStep.Element);
                }

                break;
            case Array items:
                foreach (var item in items)
                {
                    if (item is ValueType)
                    {
                        FollowFields(item, from, HeapStep.Element);
                    }
                    else
                    {
                        Meet(item, from, HeapStep.Element);
                    }
                }

                break;
            default:
                FollowFields(value, from, label: null);
                break;
        }
    }

    /// <summary>The parts of a structure count as those of the object that it is in.</summary>
    private void FollowFields(object value, int from, object? label)
    {
        foreach (var field in fields.Of(value.GetType()))
        {
            if (field.GetValue(value) is { } content)
            {
                if (field.FieldType.IsValueType)
                {
                    FollowFields(content, from, label ?? field);
                }
                else
                {
                    Meet(content, from, label ?? field);
                }
            }
        }
    }

    private void Meet(object? value, int from, object label)
    {
        if (value is null)
        {
            return;
        }

        var type = value.GetType();
        var owner = retired.OwnerOf(value);
        if ((owner is null && LeadsNowhere(type)) || !_seen.Add(value))
        {
            return;
        }

        var (root, inside) = from < 0 ? (_nodes.Count, null) : (_nodes[from].Root, _nodes[from].Inside);
        var node = _nodes.Count;
        _nodes.Add(new Node(value, from, label, root, owner ?? inside));
        if (owner is not null && owner != inside && (_pathsOfRoot[root] = _pathsOfRoot.GetValueOrDefault(root) + 1) <= MaxPathsOfARoot)
        {
            _hits.Add(node);
        }

        if (type.IsGenericType)
        {
            MeetGeneric(type, value, node);
        }
    }

    private void MeetGeneric(Type type, object value, int node)
    {
        // Nothing lists the generic classes that there are, so their static fields are found on the way.
        if (_genericTypes.Add(type) && !type.IsCollectible)
        {
            foreach (var (field, content) in StaticFields.Of(type, fields))
            {
                Meet(content, -1, field);
            }
        }

        if (TypeCaches.IsConcurrent(type) && _nodes[node].Inside is null)
        {
            _caches.Add((IDictionary)value);
        }

        if (type.GetGenericTypeDefinition() == typeof(ConditionalWeakTable<,>))
        {
            foreach (var pair in (IEnumerable)value)
            {
                if (fields.ValuesOf(pair).ToArray() is [var key, var content])
                {
                    _weak.Add((key, content, node));
                }
            }
        }
    }

    /// <summary>Called when nothing else is left to follow.</summary>
    /// <returns>Whether there is something now.</returns>
    private bool MeetWeak()
    {
        var before = _nodes.Count;
        for (var i = _weak.Count - 1; i >= 0; i--)
        {
            var (key, value, table) = _weak[i];
            if (_seen.Contains(key))
            {
                _weak.RemoveAt(i);
                Meet(value, table, HeapStep.Element);
            }
        }

        return _nodes.Count > before;
    }

    /// <summary>What describes code, holds plain data, or belongs to the compiler leads to no object of an application.</summary>
    private bool LeadsNowhere(Type type)
    {
        if (!_leadsNowhere.TryGetValue(type, out var nowhere))
        {
            nowhere = type.IsAssignableTo(typeof(MemberInfo))
                || type.IsAssignableTo(typeof(Assembly))
                || type.IsAssignableTo(typeof(Module))
                || !fields.MayRefer(type)
                || AssemblyLoadContext.GetLoadContext(type.Assembly) is RoslynLoadContext;
            _leadsNowhere.Add(type, nowhere);
        }

        return nowhere;
    }

    private HeapPath PathTo(int node)
    {
        var steps = new Stack<HeapStep>();
        for (var at = node; at >= 0; at = _nodes[at].From)
        {
            steps.Push(new HeapStep(_nodes[at].Label, _nodes[at].Value));
        }

        return new HeapPath(retired.OwnerOf(_nodes[node].Value)!.Value, [.. steps]);
    }

    private readonly record struct Node(object Value, int From, object Label, int Root, int? Inside);
}

/// <summary>A way to an object of a retired generation. Holds the objects it leads through, so it must not be kept.</summary>
/// <param name="Generation">The number of the generation.</param>
/// <param name="Steps">The root first, what belongs to the generation last.</param>
internal sealed record HeapPath(int Generation, IReadOnlyList<HeapStep> Steps)
{
    public FieldInfo Root => (FieldInfo)Steps[0].Label;

    public object Target => Steps[^1].Value;
}

/// <summary>One step of a way.</summary>
/// <param name="Label">Where it was found: a field, or <see cref="Element"/>.</param>
/// <param name="Value">The object.</param>
internal readonly record struct HeapStep(object Label, object Value)
{
    /// <summary>The label of what is in an array or a table.</summary>
    public const string Element = "[]";
}
