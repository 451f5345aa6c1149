using System.Diagnostics;

namespace ResilientHosting.Resources;

/// <summary>An object a scope must give back.</summary>
internal abstract class OwnedObject
{
    public abstract string Name { get; }

    /// <summary>Whether holding the object keeps it from others.</summary>
    public virtual bool IsExclusive => false;

    /// <summary>The stack of whoever acquired the object, if it was taken down.</summary>
    public virtual StackTrace? Acquirer => null;

    /// <summary>Whether the object goes back when the handler has returned, not after the response.</summary>
    public virtual bool EndsWithHandler => false;

    public abstract ValueTask ReturnAsync(TeardownContext context);

    /// <summary>Gives the object back while its scope goes on, if the scope still has it. Returns what failed.</summary>
    public virtual ValueTask<Exception?> ReleaseAsync(Teardown teardown) => teardown.RunAsync(this);

    /// <summary>The object has left the stack: it is no longer handed out. Called under the stack's gate.</summary>
    public virtual void OnRemoved()
    {
    }

    /// <summary>The object has been given back, or given up.</summary>
    public virtual void OnReturned(ScopeOutcomeKind outcome, TimeSpan duration, Exception? failure)
    {
    }
}
