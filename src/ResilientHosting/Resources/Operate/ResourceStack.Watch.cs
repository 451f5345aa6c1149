using System.Diagnostics;

namespace ResilientHosting.Resources;

/// <content>What an onlooker may know of the scope.</content>
internal sealed partial class ResourceStack
{
    /// <summary>What the scope keeps from others at this moment.</summary>
    public IReadOnlyList<OwnedObject> Held
    {
        get
        {
            lock (Gate)
            {
                return [.. _resources.NewestFirst.Where(resource => resource.IsExclusive)];
            }
        }
    }

    /// <summary>The trace the scope belongs to: that of its first creation.</summary>
    public string? TraceId
    {
        get
        {
            string? id = null;
            if (_ambient is not null)
            {
                ExecutionContext.Run(
                    _ambient,
                    _ => id = Activity.Current is { IdFormat: ActivityIdFormat.W3C } activity ? activity.TraceId.ToString() : null,
                    state: null);
            }

            return id;
        }
    }
}
