namespace ResilientHosting.Resources;

/// <summary>A resource was asked of a scope that has ended.</summary>
public sealed class ResourceScopeClosedException : ObjectDisposedException
{
    internal ResourceScopeClosedException(string resource, string scopeName, TimeSpan age, ScopeOutcome outcome, bool isEnding)
        : base(
            objectName: null,
            $"Resource {resource} cannot be created: its scope '{scopeName}' " +
            (isEnding
                ? $"is being torn down with outcome {outcome.Kind}. A teardown can use what the scope has created before; what else it " +
                    "needs, its factory asks for. "
                : $"ended {age:c} ago with outcome {outcome.Kind}. ") +
            "Work that outlives its scope opens its own with RunInResourceScopeAsync or CreateResourceScope on the host's services, or takes " +
            "the object along with Detach().")
    {
        ScopeName = scopeName;
        Age = age;
        Outcome = outcome;
    }

    /// <summary>The name of the scope.</summary>
    public string ScopeName { get; }

    /// <summary>How long ago the scope ended.</summary>
    public TimeSpan Age { get; }

    /// <summary>How the scope ended.</summary>
    public ScopeOutcome Outcome { get; }
}
