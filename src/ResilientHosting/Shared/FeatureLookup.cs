using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http.Features;

namespace ResilientHosting;

/// <summary>
/// Features on the way of every request. The generic methods of the collection's interface are dispatched at run time, which costs as
/// much again as the look-up; the indexer is not, and inlined here the type is known.
/// </summary>
internal static class FeatureLookup
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T? Find<T>(this IFeatureCollection features)
        where T : class => (T?)features[typeof(T)];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Put<T>(this IFeatureCollection features, T? feature)
        where T : class => features[typeof(T)] = feature;
}
