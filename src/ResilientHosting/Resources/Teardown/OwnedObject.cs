using System.Diagnostics;

namespace ResilientHosting.Resources;

/// <summary>An object a scope must give back.</summary>
internal abstract class OwnedObject : IChained<OwnedObject>
{
    public OwnedObject? Older { get; set; }

    public abstract string Name { get; }

    /// <summary>Whether holding the object keeps it from others.</summary>
    public virtual bool IsExclusive => false;

    /// <summary>The stack of whoever acquired the object, if it was taken down.</summary>
    public virtual StackTrace? Acquirer => null;

    /// <summary>Whether the object goes back when the handler has returned, not after the response.</summary>
    public virtual bool EndsWithHandler => false;

    /// <summary>The object's own time limit; <see langword="null"/> where the one for all applies.</summary>
    public virtual TimeSpan? TeardownTimeout => null;

    /// <summary>Whether the end of a request does not wait for this object, nor for older ones.</summary>
    public virtual bool DetachesTeardown => false;

    /// <summary>Whether giving it back ends its life, so that it counts and shows in traces as a teardown.</summary>
    public virtual bool IsTornDown => false;

    public abstract ValueTask ReturnAsync(TeardownContext context);

    /// <summary>Gives the object back while its scope goes on, if the scope still has it. Returns what failed.</summary>
    public virtual ValueTask<Exception?> ReleaseAsync(Teardown teardown) => teardown.RunAsync(this);

    /// <summary>The object has left the stack: it is no longer handed out. Called under the stack's gate.</summary>
    public virtual void OnRemoved()
    {
    }

    /// <summary>The object has been given back, or given up.</summary>
    public virtual void OnReturned(ScopeOutcomeKind outcome, TimeSpan? duration, Exception? failure)
    {
    }
}
