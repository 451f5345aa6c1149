using System.Reflection;
using System.Runtime.Loader;

namespace ResilientHosting.Reloading;

/// <summary>How far a retired generation has come on its way out of memory.</summary>
internal enum RetiredState
{
    /// <summary>Its host still stops, or its connections are still open.</summary>
    Ending,

    /// <summary>Nothing runs in it any more, and the collector has not come by yet.</summary>
    Unloading,

    /// <summary>Its assemblies are gone.</summary>
    Collected,

    /// <summary>Something holds it: see its causes.</summary>
    Held,
}

/// <summary>What is known of a generation once it no longer serves. Holds nothing of the generation itself.</summary>
internal sealed class RetiredGeneration(int number, AssemblyLoadContext context)
{
    private readonly WeakReference<AssemblyLoadContext> _context = new(context);

    // Its assemblies are what counts: the context alone, a small object without them, may stay in execution contexts for long.
    private readonly WeakReference<Assembly> _assembly = new(context.Assemblies.First());
    private volatile IReadOnlyList<LeakCause> _causes = [];
    private volatile RetiredState _state;

    public int Number => number;

    /// <summary>Gets what its assemblies were loaded into; null once they are gone.</summary>
    public AssemblyLoadContext? Context => _assembly.TryGetTarget(out _) && _context.TryGetTarget(out var context) ? context : null;

    public RetiredState State
    {
        get => _state;
        set => _state = value;
    }

    /// <summary>Gets or sets how many times its causes have been looked for.</summary>
    public int Looks { get; set; }

    /// <summary>Gets or sets what holds it.</summary>
    public IReadOnlyList<LeakCause> Causes
    {
        get => _causes;
        set => _causes = value;
    }
}
