namespace ResilientHosting.Resources;

/// <content>Scopes opened with the services of this one. They own objects of their own, and may use what is alive here.</content>
internal sealed partial class ResourceStack
{
    private List<ResourceStack>? _children;

    /// <summary>The scope this one was opened in, if it was opened with a scope's services.</summary>
    public ResourceStack? Parent { get; private set; }

    /// <summary>Whether this is the other scope or was opened in it.</summary>
    public bool IsWithin(ResourceStack other)
    {
        for (var scope = this; scope is not null; scope = scope.Parent)
        {
            if (ReferenceEquals(scope, other))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Waits for the child when this scope ends. One opened by a teardown comes too late; that teardown waits for it itself.</summary>
    private void EnterChild(ResourceStack child)
    {
        EnsureOpened();
        lock (Gate)
        {
            if (!IsClosed)
            {
                (_children ??= []).Add(child);
            }
        }
    }

    private void LeaveChild(ResourceStack child)
    {
        lock (Gate)
        {
            if (_children?.Remove(child) == true)
            {
                SignalIfSettled();
            }
        }
    }
}
