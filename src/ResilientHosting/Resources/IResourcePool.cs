namespace ResilientHosting.Resources;

/// <summary>
/// The pool of a resource registered with <c>UsePool</c>, to look at and to operate. Objects are taken from it through
/// <see cref="IRequestResource{T}"/> alone. Take it from the host's services, with the resource's name as key if it has one.
/// </summary>
/// <typeparam name="T">The type of the resource.</typeparam>
public interface IResourcePool<T>
    where T : class
{
    /// <summary>What the pool holds at this moment.</summary>
    ResourcePoolStatistics Statistics { get; }

    /// <summary>Replaces all objects: idle ones are torn down now, those in use when they come back.</summary>
    void Clear();

    /// <summary>Hands out nothing until <see cref="Resume"/>: those who ask wait, within their time-out. Objects in use stay in use.</summary>
    void Pause();

    /// <summary>Ends <see cref="Pause"/>.</summary>
#pragma warning disable CA1716 // "Resume" is a keyword of Visual Basic, and the only natural opposite of "Pause".
    void Resume();
#pragma warning restore CA1716
}

/// <summary>What a pool holds at one moment.</summary>
/// <param name="Total">All objects, whatever they are doing: the sum of the next four and of those being torn down.</param>
/// <param name="Used">Objects lent to scopes.</param>
/// <param name="Idle">Objects at hand.</param>
/// <param name="Validating">Objects being asked whether they still work.</param>
/// <param name="Creating">Objects being created.</param>
/// <param name="Waiting">How many wait for an object.</param>
/// <param name="Max">How many objects there may be.</param>
public readonly record struct ResourcePoolStatistics(
    int Total, int Used, int Idle, int Validating, int Creating, int Waiting, int Max);
