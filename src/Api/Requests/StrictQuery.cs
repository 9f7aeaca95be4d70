using System.Reflection;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Primitives;
using Seq2Seq.Api.Problems;

namespace Seq2Seq.Api.Requests;

/// <summary>
/// Endpoint filter: query parameters that the handler does not declare with <see cref="FromQueryAttribute"/>, and repeated ones, are
/// refused by name.
/// </summary>
internal static class StrictQuery
{
    public static EndpointFilterDelegate Create(EndpointFilterFactoryContext context, EndpointFilterDelegate next)
    {
        string[] known =
        [
            .. context
                .MethodInfo.GetParameters()
                .Where(parameter => parameter.IsDefined(typeof(FromQueryAttribute)))
                .Select(parameter => parameter.GetCustomAttribute<FromQueryAttribute>()!.Name ?? parameter.Name!),
        ];
        return invocation =>
        {
            Check(invocation.HttpContext.Request.Query, known);
            return next(invocation);
        };
    }

    private static void Check(IQueryCollection query, string[] known)
    {
        foreach (string name in query.Keys)
        {
            if (!known.Contains(name, StringComparer.Ordinal))
            {
                throw RequestException.Unknown(name, known.Length == 0 ? ["no query parameters"] : known);
            }
        }

        RefuseRepeated(query);
    }

    public static void RefuseRepeated(IQueryCollection query)
    {
        foreach ((string name, StringValues values) in query)
        {
            if (values.Count > 1)
            {
                throw RequestException.Invalid(name, $"given {values.Count} times", "one value");
            }
        }
    }
}
